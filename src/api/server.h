// SPDX-License-Identifier: Apache-2.0
// The HTTP API's server: accepts on the daemon's unix socket and runs one session a connection, all in the daemon's
// one event loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "api/listener.h"
#include "director/director.h"

namespace boost::asio {
class io_context;
}

namespace limpet::api {

struct ServerOptions {
  // SO_NETNS_COOKIE that clients must name; none: this process's own.
  std::optional<std::uint64_t> network_namespace = std::nullopt;
  // Further clients wait in the backlog until one has gone.
  std::size_t max_connections = 256;
  // For a request to come, or a short answer to be taken. Then the connection is closed.
  std::chrono::milliseconds idle_timeout{30'000};
  // For the next piece of a long answer to be taken: a listing may stand in a pager.
  std::chrono::milliseconds listing_timeout{600'000};
  // Called when the answer to an unload has been sent: the daemon ends itself here.
  std::function<void()> after_unload = {};
};

inline constexpr std::uint32_t kHeaderLimit = 16 * 1024;
inline constexpr std::uint64_t kBodyLimit = std::uint64_t{1024} * 1024;

class Server {
 public:
  // Serves until it is destroyed, which closes every connection. Precondition: `loop` and `director` outlive it. The
  // coroutines that are left in the loop then hold nothing of the director's.
  Server(boost::asio::io_context& loop, Director& director, Listener listener, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::size_t connections() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace limpet::api
