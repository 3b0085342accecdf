// SPDX-License-Identifier: Apache-2.0
// The family "IPVS" on a unix socket, for programs into which liblimpet-ipvs.so is loaded; all in the daemon's one
// event loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "director/director.h"
#include "unix_socket/socket_file.h"

namespace limpet::ipvs_netlink {

struct ServerOptions {
  // SO_NETNS_COOKIE of the namespace that is served; to others the family does not exist. None: this process's own.
  std::optional<std::uint64_t> network_namespace = std::nullopt;
  // Where there is no room for one more, the connection that has been idle for longest is closed. If none is, the
  // client waits in the backlog.
  std::size_t max_connections = 256;
  // For an answer to be taken, a datagram at a time. Then the connection is closed.
  std::chrono::milliseconds answer_timeout{30'000};
  // For more of a file of /proc to be read: it may stand in a pager.
  std::chrono::milliseconds file_timeout{600'000};
};

// The listening socket in a run directory whose lock is held.
Result<SocketFile> listen(const std::filesystem::path& run_directory, std::optional<gid_t> group);

class Server {
 public:
  // Serves until it is destroyed, which closes every connection. Precondition: `loop` and `director` outlive it,
  // SIGPIPE is ignored. The coroutines that are left in the loop then hold nothing of the director's.
  Server(boost::asio::io_context& loop, Director& director, SocketFile socket, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::size_t connections() const;  // and files that are being read

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace limpet::ipvs_netlink
