// SPDX-License-Identifier: Apache-2.0
// Wrapping and unwrapping.
#include "preload/echo.h"

#include <errno.h>
#include <linux/netlink.h>

#include <cstring>

#include "ipvs_netlink/protocol.h"
#include "preload/next.h"

LIMPET_NEXT(sendmsg)
LIMPET_NEXT(recvmsg)
LIMPET_NEXT(getsockopt)

namespace limpet::preload {
namespace {

// Before the answer: the refusal's header, the errno, the header of what was refused.
struct Wrapping {
  nlmsghdr header;
  int error;
  nlmsghdr refused;
};
constexpr std::size_t kWrapping = sizeof(Wrapping);
static_assert(kWrapping == 36);

constexpr std::size_t kMostPieces = 7;

bool has_echoed;  // else nothing that is received can be an echo
bool has_capped;

int number_option(int fd, int level, int option) {
  const int before = errno;
  int value = 0;
  socklen_t length = sizeof value;
  const bool known = getsockopt_next()(fd, level, option, &value, &length) == 0;
  errno = before;
  return known ? value : 0;
}

// A byte's place in a list of pieces.
struct Place {
  const iovec* piece;
  std::size_t offset = 0;

  unsigned char& next() {
    while (offset == piece->iov_len) {
      ++piece;
      offset = 0;
    }
    return static_cast<unsigned char*>(piece->iov_base)[offset++];
  }
};

bool is_echo(const iovec* pieces, std::size_t length, Wrapping* wrapping) {
  if (length < kWrapping) return false;
  if (pieces->iov_len >= kWrapping) {  // nearly always
    std::memcpy(wrapping, pieces->iov_base, kWrapping);
  } else {
    unsigned char bytes[kWrapping];
    Place from{pieces};
    for (unsigned char& each : bytes) each = from.next();
    std::memcpy(wrapping, bytes, kWrapping);
  }
  return wrapping->header.nlmsg_type == NLMSG_ERROR && wrapping->error == -ENOENT &&
         wrapping->refused.nlmsg_type == LIMPET_IPVS_ECHO && wrapping->refused.nlmsg_len >= sizeof(nlmsghdr);
}

void take_out(const iovec* pieces, std::size_t length) {
  Place from{pieces};
  Place to{pieces};
  for (std::size_t i = 0; i < kWrapping; ++i) from.next();
  for (std::size_t i = 0; i < length; ++i) to.next() = from.next();
}

}  // namespace

bool echo(int fd, const Datagram* datagrams, std::size_t count) {
  __atomic_store_n(&has_echoed, true, __ATOMIC_RELAXED);
  constexpr unsigned char kPadding[NLMSG_ALIGNTO] = {};
  nlmsghdr headers[kMostEchoes]{};
  iovec pieces[3 * kMostEchoes];
  std::size_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t length = datagrams[i].length;
    headers[i].nlmsg_len = static_cast<__u32>(sizeof(nlmsghdr) + length);
    headers[i].nlmsg_type = LIMPET_IPVS_ECHO;
    headers[i].nlmsg_flags = NLM_F_REQUEST;
    pieces[used++] = {&headers[i], sizeof(nlmsghdr)};
    pieces[used++] = {const_cast<unsigned char*>(datagrams[i].bytes), length};
    pieces[used++] = {const_cast<unsigned char*>(kPadding), NLMSG_ALIGN(length) - length};
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  msghdr message{};
  message.msg_name = &kernel;
  message.msg_namelen = sizeof kernel;
  message.msg_iov = pieces;
  message.msg_iovlen = used;
  return sendmsg_next()(fd, &message, 0) >= 0;
}

bool echoes(int fd) {
  return !__atomic_load_n(&has_capped, __ATOMIC_RELAXED) || number_option(fd, SOL_NETLINK, NETLINK_CAP_ACK) == 0;
}

void some_do_not_echo() { __atomic_store_n(&has_capped, true, __ATOMIC_RELAXED); }

bool may_be_echo(int fd) {
  return __atomic_load_n(&has_echoed, __ATOMIC_RELAXED) && number_option(fd, SOL_SOCKET, SO_DOMAIN) == AF_NETLINK;
}

// There is room for any echo, and the caller takes the address of a netlink socket: as libnl does.
ssize_t receive_with_room(int fd, msghdr* message, int flags) {
  const ssize_t outcome = recvmsg_next()(fd, message, flags);
  Wrapping wrapping;
  if (outcome < 0 || !is_echo(message->msg_iov, static_cast<std::size_t>(outcome), &wrapping)) return outcome;
  const std::size_t length = wrapping.refused.nlmsg_len - sizeof(nlmsghdr);
  if (length > static_cast<std::size_t>(outcome) - kWrapping) return outcome;  // a refusal without what it is about
  std::memmove(message->msg_iov->iov_base, static_cast<unsigned char*>(message->msg_iov->iov_base) + kWrapping, length);
  return static_cast<ssize_t>(length);
}

// Asked for a wrapping more than there is room, so that an answer that fits is not cut off.
ssize_t receive(int fd, msghdr* message, int flags) {
  if (message == nullptr || message->msg_iovlen > kMostPieces || !__atomic_load_n(&has_echoed, __ATOMIC_RELAXED)) {
    return recvmsg_next()(fd, message, flags);
  }
  iovec pieces[kMostPieces + 1];
  std::size_t room = 0;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    pieces[i] = message->msg_iov[i];
    room += pieces[i].iov_len;
  }
  const bool named = message->msg_name != nullptr && message->msg_namelen == sizeof(sockaddr_nl);
  if (named && message->msg_iovlen == 1 && room >= kLongestDatagram + kWrapping) {
    return receive_with_room(fd, message, flags);
  }
  if (!may_be_echo(fd)) return recvmsg_next()(fd, message, flags);
  unsigned char more[kWrapping];
  pieces[message->msg_iovlen] = {more, sizeof more};
  msghdr wide = *message;
  wide.msg_iov = pieces;
  wide.msg_iovlen = message->msg_iovlen + 1;
  const ssize_t outcome = recvmsg_next()(fd, &wide, flags | MSG_TRUNC);
  message->msg_namelen = wide.msg_namelen;
  message->msg_controllen = wide.msg_controllen;
  message->msg_flags = wide.msg_flags;
  if (outcome < 0) return outcome;

  std::size_t length = static_cast<std::size_t>(outcome);
  Wrapping wrapping;
  if (is_echo(pieces, length < room + kWrapping ? length : room + kWrapping, &wrapping)) {
    length = wrapping.refused.nlmsg_len - sizeof(nlmsghdr);
    take_out(pieces, length < room ? length : room);
  }
  message->msg_flags &= ~MSG_TRUNC;
  if (length > room) message->msg_flags |= MSG_TRUNC;
  return static_cast<ssize_t>(length > room && (flags & MSG_TRUNC) == 0 ? room : length);
}

}  // namespace limpet::preload
