// SPDX-License-Identifier: Apache-2.0
// Which links get a door.
#include "network/interfaces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <net/if_arp.h>

namespace limpet::network {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Link ethernet(const std::string& name, const std::string& kind = "") {
  Link link;
  link.index = 7;
  link.name = name;
  link.kind = kind;
  link.hardware = ARPHRD_ETHER;
  link.mac = {2, 0, 0, 0, 0, 1};
  link.mtu = 1500;
  return link;
}

std::vector<std::string> names(const std::vector<Link>& links) {
  std::vector<std::string> result;
  for (const DoorLink& door : door_links(links)) result.push_back(door.name);
  return result;
}

TEST(DoorLinks, an_ethernet_card_gets_a_door_with_all_that_is_known_of_it) {
  const DoorLink expected{.index = 7, .name = "eth0", .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500, .kind = ""};
  EXPECT_THAT(door_links({ethernet("eth0")}), ElementsAre(expected));
}

TEST(DoorLinks, the_loopback_and_what_is_not_ethernet_get_none) {
  Link loopback = ethernet("lo");
  loopback.hardware = ARPHRD_LOOPBACK;
  loopback.flags = IFF_LOOPBACK;
  Link tunnel = ethernet("wg0", "wireguard");
  tunnel.hardware = ARPHRD_NONE;
  EXPECT_THAT(names({loopback, tunnel}), IsEmpty());
}

TEST(DoorLinks, limpets_own_pair_gets_none) {
  EXPECT_THAT(names({ethernet("limpet0", "veth"), ethernet("limpet1", "veth")}), IsEmpty());
}

TEST(DoorLinks, a_bridge_gets_the_door_of_its_ports) {
  Link port = ethernet("eth0");
  port.master_index = 9;
  for (const char* kind : {"bridge", "bond", "team", "openvswitch"}) {
    port.master_kind = kind;
    EXPECT_THAT(names({port, ethernet("master", kind)}), ElementsAre("master"));
  }
}

TEST(DoorLinks, a_port_of_a_vrf_keeps_its_door_and_the_vrf_has_none) {
  Link port = ethernet("eth0");
  port.master_index = 9;
  port.master_kind = "vrf";
  EXPECT_THAT(names({port, ethernet("red", "vrf")}), ElementsAre("eth0"));
}

TEST(XdpAdvice, a_network_card_is_tried) { EXPECT_TRUE(xdp_advice(DoorLink{}).native); }

TEST(XdpAdvice, software_devices_are_not_and_the_reason_names_the_kind) {
  for (const char* kind : {"veth", "bridge", "vlan", "dummy", "tun", "bond", "ipvlan"}) {
    DoorLink link;
    link.kind = kind;
    const XdpAdvice advice = xdp_advice(link);
    EXPECT_FALSE(advice.native) << kind;
    EXPECT_THAT(advice.reason, HasSubstr(kind));
  }
}

}  // namespace
}  // namespace limpet::network
