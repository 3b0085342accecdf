// SPDX-License-Identifier: Apache-2.0
// SO_NETNS_COOKIE of a socket and of this process.
#include "unix_socket/network_namespace.h"

#include <sys/socket.h>
#include <unistd.h>

namespace limpet {

std::optional<std::uint64_t> network_namespace_of(int socket) {
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  if (::getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) != 0) return std::nullopt;
  return cookie;
}

std::optional<std::uint64_t> own_network_namespace() {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return std::nullopt;
  const auto cookie = network_namespace_of(socket);
  ::close(socket);
  return cookie;
}

}  // namespace limpet
