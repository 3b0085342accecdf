// SPDX-License-Identifier: Apache-2.0
// Accepting: one session a connection, as many as allowed at once.
#include "api/server.h"

#include <fcntl.h>

#include <set>
#include <utility>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/session.h"
#include "unix_socket/network_namespace.h"
#include "unix_socket/peer.h"

namespace limpet::api {
namespace {

namespace asio = boost::asio;
using boost::beast::error_code;

constexpr std::chrono::milliseconds kPauseAfterFailure{100};

}  // namespace

// Shared with the coroutines, so that what is left of them in the loop stands on firm ground after ~Server.
class Server::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::io_context& loop, Director& director, Listener listener, ServerOptions options)
      : loop_(loop), director_(&director), listener_(std::move(listener)), options_(std::move(options)), gate_(loop) {
    if (!options_.network_namespace) options_.network_namespace = own_network_namespace();
    acceptor_.emplace(loop);
    // The acceptor closes what it is given; the listener keeps its own descriptor for the file's lifetime.
    acceptor_->assign(asio::local::stream_protocol(), ::fcntl(listener_->descriptor(), F_DUPFD_CLOEXEC, 0));
  }

  void start() {
    asio::co_spawn(
        loop_, [self = shared_from_this()] { return self->accept_clients(); }, asio::detached);
  }

  void stop() {
    stopped_ = true;
    error_code ignored;
    acceptor_->close(ignored);
    gate_.cancel();
    for (Session* session : sessions_) session->abandon();
    listener_.reset();
    director_ = nullptr;
  }

  std::size_t connections() const { return open_; }

 private:
  asio::awaitable<void> accept_clients() {
    while (!stopped_) {
      error_code error;
      if (open_ >= options_.max_connections) {
        co_await wait(std::chrono::hours(1));  // until a session ends
        continue;
      }
      Session::Socket socket(loop_);
      co_await acceptor_->async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
      if (stopped_) break;
      if (error) {
        spdlog::warn("accepting a client failed: {}", error.message());
        co_await wait(kPauseAfterFailure);  // out of descriptors, say: trying on at once would spin
        continue;
      }
      ++open_;
      asio::co_spawn(
          loop_,
          [self = shared_from_this(), client = std::move(socket)]() mutable { return serve(self, std::move(client)); },
          asio::detached);
    }
  }

  static asio::awaitable<void> serve(std::shared_ptr<State> self, Session::Socket socket) {
    if (self->stopped_) co_return;  // nothing but the frame is left then
    const bool allowed = peer_is_allowed(socket.native_handle(), self->listener_->group());
    Session session(std::move(socket), *self->director_, self->options_, allowed);
    self->sessions_.insert(&session);
    try {
      co_await session.run();
    } catch (const std::exception& failure) {
      spdlog::error("a connection was dropped: {}", failure.what());
    }
    self->sessions_.erase(&session);
    --self->open_;
    self->gate_.cancel();
  }

  asio::awaitable<void> wait(std::chrono::milliseconds time) {
    error_code ignored;
    gate_.expires_after(time);
    co_await gate_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  asio::io_context& loop_;
  Director* director_;  // null once stopped
  std::optional<Listener> listener_;
  ServerOptions options_;
  std::optional<asio::local::stream_protocol::acceptor> acceptor_;
  asio::steady_timer gate_;
  std::set<Session*> sessions_;
  std::size_t open_ = 0;  // accepted and not yet over
  bool stopped_ = false;
};

Server::Server(asio::io_context& loop, Director& director, Listener listener, ServerOptions options)
    : state_(std::make_shared<State>(loop, director, std::move(listener), std::move(options))) {
  state_->start();
}

Server::~Server() { state_->stop(); }

std::size_t Server::connections() const { return state_->connections(); }

}  // namespace limpet::api
