// SPDX-License-Identifier: Apache-2.0
// Accepting: one session a connection, as many as allowed at once.
#include "ipvs_netlink/server.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <type_traits>
#include <utility>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "ipvs_netlink/protocol.h"
#include "ipvs_netlink/session.h"
#include "unix_socket/network_namespace.h"
#include "unix_socket/peer.h"

namespace limpet::ipvs_netlink {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::milliseconds kPauseAfterFailure{100};

}  // namespace

Result<SocketFile> listen(const std::filesystem::path& run_directory, std::optional<gid_t> group) {
  return SocketFile::listen(run_directory / LIMPET_IPVS_SOCKET, SOCK_SEQPACKET, group);
}

// Shared with the coroutines, so that what is left of them in the loop stands on firm ground after ~Server.
class Server::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::io_context& loop, Director& director, SocketFile socket, ServerOptions options)
      : loop_(loop),
        director_(&director),
        socket_(std::move(socket)),
        options_(options),
        // It closes what it is given; the socket keeps its own descriptor for the file's lifetime.
        acceptor_(loop, ::fcntl(socket_->descriptor(), F_DUPFD_CLOEXEC, 0)),
        gate_(loop) {
    if (!options_.network_namespace) options_.network_namespace = own_network_namespace();
  }

  void start() {
    asio::co_spawn(
        loop_, [self = shared_from_this()] { return self->accept_clients(); }, asio::detached);
  }

  void stop() {
    stopped_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    gate_.cancel();
    for (Abandonable* each : serving_) each->abandon();
    socket_.reset();
    director_ = nullptr;
  }

  std::size_t connections() const { return open_; }

 private:
  asio::awaitable<void> accept_clients() {
    while (!stopped_) {
      if (open_ >= options_.max_connections) {
        co_await acceptable();
        if (stopped_ || open_ < options_.max_connections) continue;
        dismiss_oldest();
        co_await wait(std::chrono::hours(1));  // until one has ended, or begins to be idle
        continue;
      }
      Descriptor client(::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (client) {
        serve(std::move(client));
      } else if (errno == EAGAIN) {
        co_await acceptable();
      } else if (errno != EINTR && errno != ECONNABORTED) {
        spdlog::warn("accepting a client of IPVS failed: {}", std::strerror(errno));
        co_await wait(kPauseAfterFailure);  // out of descriptors, say: trying on at once would spin
      }
    }
  }

  asio::awaitable<void> acceptable() {
    error_code ignored;
    co_await acceptor_.async_wait(acceptor_.wait_read, asio::redirect_error(asio::use_awaitable, ignored));
  }

  // A client that goes on is connected anew by the library.
  void dismiss_oldest() {
    Session* oldest = nullptr;
    for (Session* each : sessions_) {
      const bool older = each->idle_since() != 0 && (oldest == nullptr || each->idle_since() < oldest->idle_since());
      if (older && !each->has_question()) oldest = each;
    }
    if (oldest != nullptr) oldest->dismiss();
  }

  std::uint64_t begin_idle() {
    if (open_ >= options_.max_connections) gate_.cancel();
    return ++idle_begun_;
  }

  void serve(Descriptor client) {
    const Rights rights = rights_of(client.get());
    auto fill = [weak = weak_from_this()](Descriptor pipe, std::unique_ptr<ProcText> text) {
      const auto self = weak.lock();
      if (self && !self->stopped_ && self->files_ < self->options_.max_connections) {
        self->run(self->files_,
                  std::make_unique<FileSession>(self->loop_, std::move(pipe), std::move(text), self->options_));
      }
    };
    auto session = std::make_unique<Session>(loop_, std::move(client), *director_, rights, options_, std::move(fill),
                                             [this] { return begin_idle(); });
    sessions_.insert(session.get());
    run(open_, std::move(session));
  }

  Rights rights_of(int client) const {
    if (network_namespace_of(client) != options_.network_namespace) return Rights::absent;
    return peer_is_allowed(client, socket_->group()) ? Rights::all : Rights::none;
  }

  template <class S>
  // `count`: of the clients, or of the files that are being read.
  void run(std::size_t& count, std::unique_ptr<S> session) {
    ++count;
    asio::co_spawn(
        loop_,
        [self = shared_from_this(), &count, session = std::move(session)]() mutable {
          return run_to_its_end(self, count, std::move(session));
        },
        asio::detached);
  }

  template <class S>
  static asio::awaitable<void> run_to_its_end(std::shared_ptr<State> self, std::size_t& count,
                                              std::unique_ptr<S> session) {
    if (self->stopped_) co_return;  // nothing but the frame is left then
    self->serving_.insert(session.get());
    try {
      co_await session->run();
    } catch (const std::exception& failure) {
      spdlog::error("a client of IPVS was dropped: {}", failure.what());
    }
    self->serving_.erase(session.get());
    if constexpr (std::is_same_v<S, Session>) self->sessions_.erase(session.get());
    --count;
    self->gate_.cancel();
  }

  asio::awaitable<void> wait(std::chrono::milliseconds time) {
    error_code ignored;
    gate_.expires_after(time);
    co_await gate_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  asio::io_context& loop_;
  Director* director_;  // null once stopped
  std::optional<SocketFile> socket_;
  ServerOptions options_;
  asio::posix::stream_descriptor acceptor_;
  asio::steady_timer gate_;
  std::set<Abandonable*> serving_;
  std::set<Session*> sessions_;   // those of them that are clients
  std::uint64_t idle_begun_ = 0;  // how often
  std::size_t open_ = 0;          // clients, begun and not yet over
  std::size_t files_ = 0;         // as many at once as clients: a reader that takes nothing keeps nobody else out
  bool stopped_ = false;
};

Server::Server(asio::io_context& loop, Director& director, SocketFile socket, ServerOptions options)
    : state_(std::make_shared<State>(loop, director, std::move(socket), options)) {
  state_->start();
}

Server::~Server() { state_->stop(); }

std::size_t Server::connections() const { return state_->connections(); }

}  // namespace limpet::ipvs_netlink
