// SPDX-License-Identifier: Apache-2.0
// dup3() over the descriptor.
#include "preload/switch_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "ipvs_netlink/protocol.h"
#include "preload/limpetd.h"
#include "preload/next.h"

LIMPET_NEXT(getsockopt)

namespace limpet::preload {
namespace {

int number_option(int fd, int option) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt_next()(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

// Its other end's name is all that tells such a connection from others: a program may have its own.
bool leads_to_limpetd(int fd) {
  sockaddr_un peer{};
  socklen_t length = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return errno == ENOTCONN;
  constexpr std::size_t kName = sizeof "/" LIMPET_IPVS_SOCKET - 1;
  const std::size_t path = ::strnlen(peer.sun_path, sizeof peer.sun_path);
  return path > kName && std::memcmp(peer.sun_path + path - kName, "/" LIMPET_IPVS_SOCKET, kName) == 0;
}

bool take_the_place_of(int fd, int socket) {
  const int status = ::fcntl(fd, F_GETFL);
  const int close_on_exec = ::fcntl(fd, F_GETFD) & FD_CLOEXEC;
  if (status >= 0 && (status & O_NONBLOCK) != 0) ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  const int outcome = ::dup3(socket, fd, close_on_exec != 0 ? O_CLOEXEC : 0);
  ::close(socket);
  return outcome >= 0;
}

bool connect_in_place_of(int fd) {
  const int socket = connect_to_limpetd();
  if (socket < 0) return false;
  // A socket of another namespace than its maker is now in is not for this limpetd.
  if (cookie_of(socket, SO_NETNS_COOKIE) != cookie_of(fd, SO_NETNS_COOKIE)) {
    ::close(socket);
    return false;
  }
  return take_the_place_of(fd, socket);
}

}  // namespace

Side side_of(int fd) {
  const int domain = number_option(fd, SO_DOMAIN);
  if (domain == AF_NETLINK) return number_option(fd, SO_PROTOCOL) == NETLINK_GENERIC ? Side::kernel : Side::neither;
  if (domain != AF_UNIX || number_option(fd, SO_TYPE) != SOCK_SEQPACKET) return Side::neither;
  return leads_to_limpetd(fd) ? Side::limpetd : Side::neither;
}

bool is_kernels(int fd) { return number_option(fd, SO_PROTOCOL) == NETLINK_GENERIC; }

bool switch_to(int fd, int connection) { return take_the_place_of(fd, connection); }

bool switch_to_limpetd(int fd) { return connect_in_place_of(fd); }

bool switch_to_limpetd_again(int fd) {
  return connect_again([fd] { return connect_in_place_of(fd); });
}

bool switch_to_kernel(int fd, unsigned port) {
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
  if (socket < 0) return false;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_pid = port;
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    address.nl_pid = 0;
    ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  return take_the_place_of(fd, socket);
}

}  // namespace limpet::preload
