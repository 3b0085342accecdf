// SPDX-License-Identifier: Apache-2.0
// Which links get a door to the data plane, and of which kind: policy on the list of links, without I/O.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "network/netlink_types.h"

namespace limpet::network {

constexpr const char* kMarkDevice = "limpet0";  // marked packets are led here; the tc program on it is the mark door
constexpr const char* kMarkPeer = "limpet1";    // what the mark door does not take comes out here

struct DoorLink {
  int index = 0;
  std::string name;
  MacAddress mac{};
  std::uint32_t mtu = 0;
  std::string kind;  // as in Link

  bool operator==(const DoorLink&) const = default;
};

// Every Ethernet link on which frames for this host come in, up or not, in the order of the list. A port of a bridge,
// bond, team or Open vSwitch has none: its frames appear on the master, which gets the door.
std::vector<DoorLink> door_links(const std::vector<Link>& links);

struct XdpAdvice {
  bool native = false;
  std::string reason;  // for Status::doors: why so, in a few words
};

// Whether `auto` should try XDP in the driver; only trying tells whether the driver has it.
XdpAdvice xdp_advice(const DoorLink& link);

}  // namespace limpet::network
