// SPDX-License-Identifier: Apache-2.0
// Sending: whom a message goes to.
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cstring>

#include "preload/echo.h"
#include "preload/exchange.h"
#include "preload/netlink_message.h"
#include "preload/next.h"
#include "preload/switch_socket.h"

LIMPET_NEXT(sendmsg)
LIMPET_NEXT(sendto)
LIMPET_NEXT(send)

namespace limpet::preload {
namespace {

bool is_broken(int error) { return error == EPIPE || error == ECONNRESET || error == ENOTCONN; }

// To limpetd, whose connection has no address to be given.
ssize_t carry(int fd, const msghdr* message, int flags) {
  msghdr without_name = *message;
  without_name.msg_name = nullptr;
  without_name.msg_namelen = 0;
  return sendmsg_next()(fd, &without_name, flags | MSG_NOSIGNAL);
}

// There is no IPVS: the kernel, which may have one, is asked for a family that nobody has, and says so.
ssize_t ask_for_none(int fd, const msghdr* message, int flags, Looked* looked) {
  std::memcpy(looked->bytes + looked->name_offset, "none", 4);
  iovec piece{looked->bytes, looked->length};
  msghdr changed = *message;
  changed.msg_iov = &piece;
  changed.msg_iovlen = 1;
  return sendmsg_next()(fd, &changed, flags);
}

// A command of a program that has met IPVS before: it becomes a question without a subject, which is invalid. The
// kernel's answer to an unknown family is ENOENT, and that keepalived takes for success when it deletes a server: the
// dead one would still be there when limpetd comes back. (A message that cannot be sent it waits for nevertheless.)
ssize_t have_refused(int fd, const msghdr* message, int flags, const Looked* looked) {
  struct {
    nlmsghdr header;
    genlmsghdr generic;
  } question{};
  std::memcpy(&question.header, looked->bytes, sizeof question.header);
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = GENL_ID_CTRL;
  question.header.nlmsg_flags &= static_cast<__u16>(~NLM_F_DUMP);
  question.generic.cmd = CTRL_CMD_GETFAMILY;
  iovec piece{&question, sizeof question};
  msghdr changed = *message;
  changed.msg_iov = &piece;
  changed.msg_iovlen = 1;
  const ssize_t sent = sendmsg_next()(fd, &changed, flags);
  return sent < 0 ? sent : static_cast<ssize_t>(looked->length);
}

ssize_t to_kernel(int fd, const msghdr* message, int flags, Looked* looked) {
  if (looked->about == About::ipvs) return have_refused(fd, message, flags, looked);
  return ask_for_none(fd, message, flags, looked);
}

// By a connection in the socket's place.
ssize_t send_by_itself(int fd, Side side, const msghdr* message, int flags, Looked* looked) {
  const int error_before = errno;
  bool reached = side == Side::limpetd || switch_to_limpetd(fd);
  if (reached && side == Side::limpetd) {
    const ssize_t sent = carry(fd, message, flags);
    if (sent >= 0 || !is_broken(errno)) return sent;
    reached = switch_to_limpetd_again(fd);
    if (!reached && !switch_to_kernel(fd, looked->port)) return -1;
  }
  errno = error_before;
  return reached ? carry(fd, message, flags) : to_kernel(fd, message, flags, looked);
}

// What came of the question is put before the socket; a long list it has to fetch by a connection of its own.
ssize_t deliver(int fd, const Looked& looked, const Answer& answer) {
  const bool delivered =
      answer.connection >= 0 ? switch_to(fd, answer.connection) : echo(fd, answer.datagrams, answer.count);
  return delivered ? static_cast<ssize_t>(looked.length) : -1;
}

// A socket of the kernel's that stays one.
ssize_t send_by_exchange(int fd, const msghdr* message, int flags, Looked* looked) {
  const int error_before = errno;
  if (!echoes(fd)) return send_by_itself(fd, Side::kernel, message, flags, looked);
  Answer answer;
  const auto outcome =
      looked->about == About::ipvs ? exchange(fd, message, *looked, &answer) : ask_for_family(fd, *looked, &answer);
  if (outcome == Exchanged::failed) return -1;
  errno = error_before;
  if (outcome == Exchanged::by_itself) return send_by_itself(fd, Side::kernel, message, flags, looked);
  if (outcome == Exchanged::absent) return to_kernel(fd, message, flags, looked);
  return deliver(fd, *looked, answer);
}

bool goes_to_the_kernel(const msghdr* message) {
  if (message->msg_name == nullptr || message->msg_namelen < sizeof(sockaddr_nl)) return false;
  sockaddr_nl address;
  std::memcpy(&address, message->msg_name, sizeof address);
  return address.nl_family == AF_NETLINK;
}

ssize_t send_about_ipvs(int fd, const msghdr* message, int flags, Looked* looked) {
  const int error_before = errno;
  const Side side = goes_to_the_kernel(message) && is_kernels(fd) ? Side::kernel : side_of(fd);
  errno = error_before;
  if (side == Side::neither) return sendmsg_next()(fd, message, flags);
  if (side == Side::kernel) return send_by_exchange(fd, message, flags, looked);
  return send_by_itself(fd, side, message, flags, looked);
}

ssize_t send_any(int fd, const msghdr* message, int flags) {
  Looked looked;
  look_at(message, &looked);
  if (looked.about != About::other) return send_about_ipvs(fd, message, flags, &looked);
  if (goes_to_the_kernel(message) && side_of(fd) == Side::limpetd && !switch_to_kernel(fd, looked.port)) return -1;
  return sendmsg_next()(fd, message, flags);
}

}  // namespace
}  // namespace limpet::preload

LIMPET_PUBLIC ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (message == nullptr || message->msg_iov == nullptr) return sendmsg_next()(fd, message, flags);
  return limpet::preload::send_any(fd, message, flags);
}

LIMPET_PUBLIC ssize_t sendto(int fd, const void* bytes, size_t size, int flags, const sockaddr* to, socklen_t length) {
  iovec piece{const_cast<void*>(bytes), size};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to);
  message.msg_namelen = length;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  limpet::preload::Looked looked;
  limpet::preload::look_at(&message, &looked);
  if (looked.about == limpet::preload::About::other && !limpet::preload::goes_to_the_kernel(&message)) {
    return sendto_next()(fd, bytes, size, flags, to, length);
  }
  return limpet::preload::send_any(fd, &message, flags);
}

LIMPET_PUBLIC ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  iovec piece{const_cast<void*>(bytes), size};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  limpet::preload::Looked looked;
  limpet::preload::look_at(&message, &looked);
  if (looked.about == limpet::preload::About::other) return send_next()(fd, bytes, size, flags);
  return limpet::preload::send_about_ipvs(fd, &message, flags, &looked);
}
