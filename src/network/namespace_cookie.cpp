// SPDX-License-Identifier: Apache-2.0
// Reads SO_NETNS_COOKIE from a socket made for the purpose: a socket belongs to the namespace it was made in.
#include "network/namespace_cookie.h"

#include <asm/socket.h>
#include <sys/socket.h>
#include <unistd.h>

namespace limpet::network {

std::uint64_t network_namespace_cookie() {
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return 0;
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) cookie = 0;
  ::close(descriptor);
  return cookie;
}

}  // namespace limpet::network
