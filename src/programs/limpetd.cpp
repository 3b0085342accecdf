// SPDX-License-Identifier: Apache-2.0
// limpetd: the director's daemon. Reads its options, starts the director, serves its API until it is told to end.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/listener.h"
#include "api/server.h"
#include "director/claim.h"
#include "director/limpet_director.h"
#include "ipvs_netlink/server.h"
#include "programs/limpetd_options.h"
#include "programs/sysctl_files.h"
#include "unix_socket/peer.h"

namespace {

namespace asio = boost::asio;
using limpet::LimpetDirector;

int fail(const limpet::Error& error) {
  spdlog::critical("{}", error.text);
  return 1;
}

// systemd's readiness protocol is one datagram; that needs no library.
void notify_service_manager(const char* state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof(address.sun_path)) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  ::sendto(fd, state, std::strlen(state), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
  ::close(fd);
}

// Goes on with what commands have left to be done, though their clients may have gone.
void settle_between_other_work(asio::io_context& loop, LimpetDirector& director, bool& busy) {
  busy = !director.settle();
  if (busy) asio::post(loop, [&] { settle_between_other_work(loop, director, busy); });
}

void tick_forever(asio::io_context& loop, asio::steady_timer& timer, LimpetDirector& director, bool& busy) {
  timer.expires_after(LimpetDirector::kTick);
  timer.async_wait([&](const boost::system::error_code& error) {
    if (error) return;
    director.tick();
    if (!busy) settle_between_other_work(loop, director, busy);
    tick_forever(loop, timer, director, busy);
  });
}

void watch_network(asio::posix::stream_descriptor& socket, LimpetDirector& director) {
  socket.async_wait(asio::posix::stream_descriptor::wait_read, [&](const boost::system::error_code& error) {
    if (error) return;
    director.on_network_change();
    watch_network(socket, director);
  });
}

int serve(const limpet::DirectorOptions& options) {
  const auto group = limpet::limpet_group();
  auto listener = limpet::api::Listener::open(options.run_directory, group);
  if (!listener) return fail(listener.error());
  auto ipvs_socket = limpet::ipvs_netlink::listen(options.run_directory, group);
  if (!ipvs_socket) return fail(ipvs_socket.error());
  const auto claim = limpet::NamespaceClaim::take();
  if (!claim) return fail(claim.error());
  auto director = LimpetDirector::start(options);
  if (!director) return fail(director.error());

  asio::io_context loop(1);
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) loop.stop();
  });
  limpet::api::ServerOptions server_options;
  server_options.after_unload = [&loop] { loop.stop(); };
  const limpet::api::Server server(loop, **director, std::move(*listener), server_options);
  const limpet::ipvs_netlink::Server ipvs_server(loop, **director, std::move(*ipvs_socket));
  asio::steady_timer timer(loop);
  bool busy = false;
  tick_forever(loop, timer, **director, busy);
  asio::posix::stream_descriptor network(loop, (*director)->network_fd());
  watch_network(network, **director);

  spdlog::info("ready: serving {}", limpet::api::socket_path(options.run_directory).string());
  notify_service_manager("READY=1");
  loop.run();
  notify_service_manager("STOPPING=1");
  network.release();
  while (!(*director)->settle()) {
  }
  (*director)->say_goodbye();
  spdlog::info("ending; what is in the kernel goes on forwarding unless it was unloaded");
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  spdlog::set_default_logger(spdlog::stderr_color_st("limpetd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %l: %v");
  ::signal(SIGPIPE, SIG_IGN);
  auto options = limpet::read_daemon_options(argc, argv);
  if (!options) return fail(options.error());
  if (options->exit_code) return *options->exit_code;
  spdlog::set_level(options->log_level);
  auto settings = limpet::read_sysctl_files();
  auto& own = options->director.settings;  // limpetd.toml's win
  own.insert(own.begin(), settings.begin(), settings.end());
  return serve(options->director);
} catch (const std::exception& failure) {
  // Nothing that a caller could mend (no memory, say). The data plane goes on; a new limpetd adopts it.
  spdlog::critical("{}", failure.what());
  return 1;
}
