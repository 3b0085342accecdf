// SPDX-License-Identifier: Apache-2.0
// A question to limpetd and its whole answer, by the one connection that a process keeps for all its netlink sockets:
// a program that makes a socket for each command, as libipvs does, costs limpetd no connection for each.
#pragma once

#include <sys/socket.h>

#include <cstddef>

#include "preload/echo.h"
#include "preload/netlink_message.h"

namespace limpet::preload {

struct Answer {
  Datagram datagrams[kMostEchoes];
  std::size_t count = 0;
  // A list that is longer: nothing of it has been received yet, and this connection, which is the caller's now, has it.
  int connection = -1;
  unsigned char bytes[kMostEchoes * kLongestDatagram];
};

enum class Exchanged {
  done,      // the answer is there
  absent,    // there is no limpetd for this socket
  failed,    // errno: it was asked, and did not answer
  by_itself  // the socket needs a connection of its own: another thread is asking, or it is no ordinary question
};

// The controller's question for the family, which is answered without asking limpetd again.
Exchanged ask_for_family(int fd, const Looked& looked, Answer* answer);
// A question to the family. It is waited for a limpetd that has been started again.
Exchanged exchange(int fd, const msghdr* message, const Looked& looked, Answer* answer);

}  // namespace limpet::preload
