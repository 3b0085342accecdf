// SPDX-License-Identifier: Apache-2.0
// Puts programs at interfaces: tc filters in clsact, XDP natively, and takes out what is ours.
#pragma once

#include <cstdint>
#include <string>

#include "model/result.h"

namespace limpet::dataplane {

enum class Hook { ingress, egress };

// Attaches or replaces our tc filter; does nothing where it is this program already. True: clsact was not there and has
// been added. Errors name `interface`.
Result<bool> attach_tc(int ifindex, const std::string& interface, Hook hook, int program);
// Removes our tc filter, and clsact with it if `remove_qdisc`: we added it. Absent is success.
Result<void> detach_tc(int ifindex, const std::string& interface, Hook hook, bool remove_qdisc);
// Id of our tc program there; 0: none.
std::uint32_t attached_tc(int ifindex, Hook hook);

enum class XdpOccupant { none, ours, other };
XdpOccupant xdp_occupant(int ifindex);
// Attaches or replaces our XDP program in native mode; does nothing where it is this program already.
// Precondition: xdp_occupant() is not `other`.
Result<void> attach_xdp(int ifindex, const std::string& interface, int program);
// Removes our XDP program; anybody else's stays. Absent is success.
Result<void> detach_xdp(int ifindex, const std::string& interface);

}  // namespace limpet::dataplane
