// SPDX-License-Identifier: Apache-2.0
// limpetd's answers in the queue of a netlink socket, where only the kernel can put something: it is sent a message of
// a family that it does not have, and returns it in its refusal. So the socket stays the kernel's, for poll, copies and
// children alike, and what is received from it is unwrapped here.
#pragma once

#include <sys/socket.h>

#include <cstddef>

namespace limpet::preload {

struct Datagram {
  const unsigned char* bytes;
  std::size_t length;
};

constexpr std::size_t kMostEchoes = 2;
constexpr std::size_t kLongestDatagram = 4096;

// False and errno. Precondition: the socket is one of generic netlink, at most kMostEchoes datagrams.
bool echo(int fd, const Datagram* datagrams, std::size_t count);
// Whether the socket returns what it refuses (no NETLINK_CAP_ACK).
bool echoes(int fd);
// A socket of this process is about to get NETLINK_CAP_ACK.
void some_do_not_echo();

// Whether this is a netlink socket that may have one in its queue.
bool may_be_echo(int fd);
// recvmsg(), with what was an echo as limpetd's answer.
ssize_t receive(int fd, msghdr* message, int flags);

}  // namespace limpet::preload
