// SPDX-License-Identifier: Apache-2.0
// The door policy: by hardware type, master and kind.
#include "network/interfaces.h"

#include <net/if.h>
#include <net/if_arp.h>

#include <array>
#include <string_view>

namespace limpet::network {
namespace {

struct KindReason {
  std::string_view kind;
  std::string_view reason;
};

// Kinds as in IFLA_INFO_KIND.
constexpr std::array kNotNative = {
    KindReason{"veth", "veth: XDP would need a program on the other end too"},
    KindReason{"bridge", "bridge: frames reach it above the driver"},
    KindReason{"bond", "bond: XDP depends on the mode and on every port"},
    KindReason{"team", "team: frames reach it above the driver"},
    KindReason{"openvswitch", "openvswitch: frames reach it above the driver"},
    KindReason{"vlan", "vlan: the tag is taken off above the driver"},
    KindReason{"macvlan", "macvlan: frames reach it above the driver"},
    KindReason{"dummy", "dummy: no frame ever comes in from a wire"},
    KindReason{"tun", "tun: the other end is a process on this host"},
};

bool gets_door(const Link& link) {
  if (link.hardware != ARPHRD_ETHER || (link.flags & IFF_LOOPBACK) != 0) return false;
  if (link.name == kMarkDevice || link.name == kMarkPeer) return false;
  // A VRF's ports receive for themselves; any other master takes its ports' frames over before tc sees them on it.
  if (link.master_index != 0 && link.master_kind != "vrf") return false;
  // A VRF shows its ports' packets a second time; an ifb only what tc sent there from a link with a door.
  return link.kind != "vrf" && link.kind != "ifb";
}

}  // namespace

std::vector<DoorLink> door_links(const std::vector<Link>& links) {
  std::vector<DoorLink> doors;
  for (const Link& link : links) {
    if (!gets_door(link)) continue;
    doors.push_back({.index = link.index, .name = link.name, .mac = link.mac, .mtu = link.mtu, .kind = link.kind});
  }
  return doors;
}

XdpAdvice xdp_advice(const DoorLink& link) {
  if (link.kind.empty()) return {.native = true, .reason = "network card: XDP where its driver has it"};
  for (const KindReason& known : kNotNative) {
    if (link.kind == known.kind) return {.native = false, .reason = std::string(known.reason)};
  }
  return {.native = false, .reason = link.kind + ": not a network card"};
}

}  // namespace limpet::network
