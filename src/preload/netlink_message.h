// SPDX-License-Identifier: Apache-2.0
// Whom a message on a netlink socket is for.
#pragma once

#include <sys/socket.h>

#include <cstddef>

namespace limpet::preload {

enum class About {
  other,       // the kernel, or no netlink at all
  ipvs,        // the family "IPVS" by the number limpetd gave it
  ipvs_number  // the controller, for that number
};

// As much of a message as tells it apart, and where the name stands that the controller is asked for.
constexpr std::size_t kLooked = 256;
struct Looked {
  About about = About::other;
  std::size_t length = 0;       // of the message
  std::size_t name_offset = 0;  // only of ipvs_number
  unsigned port = 0;            // nlmsg_pid
  unsigned char bytes[kLooked];
};

// Only looks at bytes: whether the socket is one of netlink is for the caller to say.
void look_at(const msghdr* message, Looked* looked);

}  // namespace limpet::preload
