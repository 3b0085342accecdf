// SPDX-License-Identifier: Apache-2.0
// Receiving: from whom an answer seems to come.
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "preload/echo.h"
#include "preload/next.h"
#include "preload/switch_socket.h"

LIMPET_NEXT(recv)
LIMPET_NEXT(recvfrom)
LIMPET_NEXT(read)

namespace limpet::preload {
namespace {

// As from the kernel, where the caller takes the address of a netlink socket. A broken connection is an error: no
// netlink socket ends.
ssize_t received_from_kernel(int fd, ssize_t length, void* name, socklen_t* name_length) {
  if (length < 0) return length;
  if (length == 0) {
    if (side_of(fd) != Side::limpetd) return 0;
    errno = ECONNRESET;
    return -1;
  }
  sa_family_t family = AF_UNSPEC;
  if (*name_length >= sizeof family) std::memcpy(&family, name, sizeof family);
  if (family != AF_UNIX) return length;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  std::memcpy(name, &kernel, sizeof kernel);
  *name_length = sizeof kernel;
  return length;
}

msghdr into(iovec* piece) {
  msghdr message{};
  message.msg_iov = piece;
  message.msg_iovlen = 1;
  return message;
}

}  // namespace
}  // namespace limpet::preload

namespace preload = limpet::preload;

LIMPET_PUBLIC ssize_t recvmsg(int fd, msghdr* message, int flags) {
  const bool from_netlink =
      message != nullptr && message->msg_name != nullptr && message->msg_namelen == sizeof(sockaddr_nl);
  const ssize_t length = preload::receive(fd, message, flags);
  if (!from_netlink) return length;
  return preload::received_from_kernel(fd, length, message->msg_name, &message->msg_namelen);
}

LIMPET_PUBLIC ssize_t recvfrom(int fd, void* bytes, size_t size, int flags, sockaddr* from, socklen_t* from_length) {
  if (!preload::may_be_echo(fd)) {
    const bool from_netlink = from != nullptr && from_length != nullptr && *from_length == sizeof(sockaddr_nl);
    const ssize_t length = recvfrom_next()(fd, bytes, size, flags, from, from_length);
    return from_netlink ? preload::received_from_kernel(fd, length, from, from_length) : length;
  }
  iovec piece{bytes, size};
  msghdr message = preload::into(&piece);
  message.msg_name = from;
  message.msg_namelen = from != nullptr && from_length != nullptr ? *from_length : 0;
  const ssize_t length = preload::receive(fd, &message, flags);
  if (length >= 0 && from != nullptr && from_length != nullptr) *from_length = message.msg_namelen;
  return length;
}

LIMPET_PUBLIC ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  if (!preload::may_be_echo(fd)) return recv_next()(fd, bytes, size, flags);
  iovec piece{bytes, size};
  msghdr message = preload::into(&piece);
  return preload::receive(fd, &message, flags);
}

LIMPET_PUBLIC ssize_t read(int fd, void* bytes, size_t size) {
  if (!preload::may_be_echo(fd)) return read_next()(fd, bytes, size);
  iovec piece{bytes, size};
  msghdr message = preload::into(&piece);
  return preload::receive(fd, &message, 0);
}

// Of fortified programs, which say how much room there is. What would not fit ends them, by their own libc.
// NOLINTBEGIN(readability-identifier-naming): they are libc's
extern "C" {
ssize_t __recv_chk(int fd, void* bytes, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void* bytes, size_t size, size_t room, int flags, sockaddr* from, socklen_t* length);
ssize_t __read_chk(int fd, void* bytes, size_t size, size_t room);
}
// NOLINTEND(readability-identifier-naming)
LIMPET_NEXT(__recv_chk)
LIMPET_NEXT(__recvfrom_chk)
LIMPET_NEXT(__read_chk)

LIMPET_PUBLIC ssize_t __recv_chk(int fd, void* bytes, size_t size, size_t room, int flags) {
  return size > room ? __recv_chk_next()(fd, bytes, size, room, flags) : recv(fd, bytes, size, flags);
}

LIMPET_PUBLIC ssize_t __recvfrom_chk(int fd, void* bytes, size_t size, size_t room, int flags, sockaddr* from,
                                     socklen_t* length) {
  if (size > room) return __recvfrom_chk_next()(fd, bytes, size, room, flags, from, length);
  return recvfrom(fd, bytes, size, flags, from, length);
}

LIMPET_PUBLIC ssize_t __read_chk(int fd, void* bytes, size_t size, size_t room) {
  return size > room ? __read_chk_next()(fd, bytes, size, room) : read(fd, bytes, size);
}
