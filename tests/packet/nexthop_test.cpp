// SPDX-License-Identifier: Apache-2.0
// Is the address this host's now, and where is the next hop: routes, neighbours, and their changes.
#include <fstream>

#include "fixture.h"

namespace limpet::packet {
namespace {

class Ways : public AtDoor {
 protected:
  void SetUp() override {
    AtDoor::SetUp();
    hops_stay_fresh = false;
  }
  void expect_ignored(const Packet& p) {
    const Bytes frame = p.bytes();
    const Outcome out = run(door, frame);
    EXPECT_EQ(out.verdict, Verdict::kPass);
    EXPECT_EQ(out.bytes, frame);
    EXPECT_TRUE(tables.nothing_is_recorded());
  }
};
using LocalAddress = Ways;
INSTANTIATE_TEST_SUITE_P(At, LocalAddress, testing::Values(Door::kTc, Door::kXdp), door_name);

TEST_P(LocalAddress, a_VRRP_backup_does_nothing_for_an_address_it_does_not_hold) {
  tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  const Temporarily gone("addr del 192.168.2.11/32 dev eth0", "addr add 192.168.2.11/32 dev eth0");
  expect_ignored(packet().tcp(kSyn));
}

TEST_P(LocalAddress, an_established_flow_stops_when_the_address_goes) {
  tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  run(Door::kTc, packet().tcp(kSyn));
  const auto before = tables.flows().at(0).second;
  const Temporarily gone("addr del 192.168.2.11/32 dev eth0", "addr add 192.168.2.11/32 dev eth0");
  tables.forget_local_addresses();
  const Bytes ack = packet().tcp(kFin | kAck).bytes();
  const Outcome out = run(door, ack);
  EXPECT_EQ(out.verdict, Verdict::kPass);
  EXPECT_EQ(out.bytes, ack);
  EXPECT_EQ(tables.flows().at(0).second.word, before.word);
}

TEST_P(LocalAddress, an_address_that_comes_is_served_at_once) {
  tables.add_server(tables.add(tcp_service("192.168.2.13", 80)), route(kServerA));
  expect_ignored(packet().to("192.168.2.13", 80).tcp(kSyn));
  const Temporarily here("addr add 192.168.2.13/32 dev eth0", "addr del 192.168.2.13/32 dev eth0");
  EXPECT_EQ(run(door, packet().to("192.168.2.13", 80).tcp(kSyn)).verdict, Verdict::kSent);
}

// Deferred addresses are led to limpet0 by a rule; lookups in the name of limpet0 itself see the local table first.
TEST_P(LocalAddress, an_address_led_to_the_mark_door_is_still_local) {
  tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  const Temporarily led("route add 192.168.2.11/32 dev limpet0 table 99", "route flush table 99");
  const Temporarily to_it("rule add pref 90 to 192.168.2.11 lookup 99", "rule del pref 90");
  const Temporarily but_not_us("rule add pref 80 iif limpet0 lookup local", "rule del pref 80");
  const Temporarily behind("rule add pref 100 lookup local", "rule del pref 100");
  EXPECT_EQ(run(door, packet().tcp(kSyn)).verdict, Verdict::kSent);
}

TEST_P(LocalAddress, an_address_whose_route_refuses_is_not_local) {
  tables.add_server(tables.add(tcp_service("192.168.2.14", 80)), route(kServerA));
  for (const std::string kind : {"prohibit", "blackhole", "unreachable"}) {
    const Temporarily refused("route add " + kind + " 192.168.2.14/32", "route del 192.168.2.14/32");
    expect_ignored(packet().to("192.168.2.14", 80).tcp(kSyn));
  }
}

TEST_P(LocalAddress, no_address_is_local_while_limpet0_does_not_forward) {
  tables.add_server(tables.add(tcp_service("192.168.2.14", 80)), route(kServerA));
  const auto forwarding = [](char value) {
    std::ofstream("/proc/sys/net/ipv4/conf/limpet0/forwarding") << value << std::flush;
  };
  forwarding('0');
  expect_ignored(packet().to("192.168.2.14", 80).tcp(kSyn));
  forwarding('1');
}

// bpf_fib_lookup() cannot tell "no route" from "local" by itself: limpetd's last rule for lookups from limpet0 does.
constexpr const char* kRefuseTheRest = "rule add pref 32800 iif limpet0 prohibit";
constexpr const char* kRefuseNoMore = "rule del pref 32800";

TEST_P(LocalAddress, an_address_that_has_no_route_is_not_local) {
  tables.add_server(tables.add(tcp_service("198.51.100.11", 80)), route(kServerA));
  const Temporarily refused(kRefuseTheRest, kRefuseNoMore);
  const Temporarily isolated("route del default", "route add default via 192.168.2.1");
  expect_ignored(packet().from("192.168.2.77", 5000).to("198.51.100.11", 80).tcp(kSyn));
}

using NextHop = Ways;
INSTANTIATE_TEST_SUITE_P(At, NextHop, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(NextHop, an_unresolved_neighbour_is_the_kernels_to_resolve) {
  tables.add_server(tables.add(tcp_service(kVip, 80)), masq(kSilentServer));
  const Bytes syn = packet().tcp(kSyn).bytes();
  Outcome out = run(door, syn);
  if (door == Door::kXdp) {
    EXPECT_EQ(out.verdict, Verdict::kPass);
    EXPECT_EQ(out.bytes, syn);
    EXPECT_TRUE(tables.nothing_is_recorded()) << "no flow, no count, no cursor moved";
    return;
  }
  if (door == Door::kMark) {
    // Its packets carry a route that must not come along: they cross to limpet1 as they are, and go from there.
    ASSERT_EQ(out.verdict, Verdict::kCross);
    EXPECT_EQ(out.bytes, syn);
    EXPECT_EQ(tables.flows().size(), 1U);
    out = run(Door::kReturn, syn);
    EXPECT_EQ(out.view().ttl(), View(syn).ttl()) << "the kernel has taken its one";
  }
  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.view().destination_mac(), kDirectorMac) << "the kernel's neighbour code fills them in";
  EXPECT_EQ(out.view().destination(), kSilentServer);
  EXPECT_TRUE(out.view().l4_checksum_is_right());
  EXPECT_EQ(tables.flows().size(), 1U);
}

TEST_P(NextHop, an_unresolved_neighbour_leaves_a_persistent_client_to_tc_as_well) {
  if (door != Door::kXdp) return;
  tables.add_server(tables.add(tcp_service(kVip, 80).persistent(300)), route(kSilentServer));
  const Bytes syn = packet().tcp(kSyn).bytes();
  const Outcome first = run(door, syn);
  EXPECT_EQ(first.verdict, Verdict::kPass);
  EXPECT_EQ(first.bytes, syn);
  EXPECT_TRUE(tables.nothing_is_recorded());

  run(Door::kTc, packet().from("10.0.0.1", 1).tcp(kSyn));  // the template exists now, with one flow
  EXPECT_EQ(run(door, syn).verdict, Verdict::kPass);
  ASSERT_EQ(tables.templates().size(), 1U);
  EXPECT_EQ(controlled(tables.templates().at(0).second), 1U);
  EXPECT_EQ(tables.flows().size(), 1U);
}

TEST_P(NextHop, the_first_packet_confirms_the_neighbour_and_later_ones_go_straight) {
  tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  const Outcome first = run(door, packet().tcp(kSyn));
  const Outcome second = run(door, packet().tcp(kAck));
  ASSERT_EQ(first.verdict, Verdict::kSent);
  EXPECT_EQ(first.view().destination_mac(), door == Door::kTc ? kDirectorMac : kServerAMac);
  ASSERT_EQ(second.verdict, Verdict::kSent);
  EXPECT_EQ(second.view().destination_mac(), kServerAMac);
}

TEST_P(NextHop, what_crosses_to_limpet1_without_a_flow_is_left_to_the_host) {
  if (door != Door::kMark) return;
  tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  const Bytes syn = packet().tcp(kSyn).bytes();
  const Outcome out = run(Door::kReturn, syn);
  EXPECT_EQ(out.verdict, Verdict::kPass);
  EXPECT_EQ(out.bytes, syn);
  EXPECT_TRUE(tables.nothing_is_recorded()) << "only the mark door opens flows";
}

TEST_P(NextHop, a_new_MAC_address_is_learned) {
  tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  run(door, packet().tcp(kSyn));
  const Temporarily moved("neigh replace 192.168.2.20 lladdr 02:00:00:00:00:99 nud permanent dev eth0",
                          "neigh replace 192.168.2.20 lladdr 02:00:00:00:00:20 nud permanent dev eth0");
  tables.forget_hops();
  run(door, packet().tcp(kAck));
  EXPECT_EQ(run(door, packet().tcp(kAck)).view().destination_mac(), kStrangerMac);
}

TEST_P(NextHop, a_server_behind_a_gateway_is_sent_to_the_gateway) {
  tables.add_server(tables.add(tcp_service(kVip, 80)), masq("203.0.113.5"));
  run(door, packet().tcp(kSyn));
  const Outcome out = run(door, packet().tcp(kAck));
  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.view().destination_mac(), kGatewayMac);
  EXPECT_EQ(out.view().destination(), "203.0.113.5");
}

TEST_P(NextHop, a_server_whose_route_refuses_gets_nothing) {
  tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  const Temporarily refused("route add unreachable 192.168.2.20/32", "route del 192.168.2.20/32");
  const Bytes syn = packet().tcp(kSyn).bytes();
  const Outcome out = run(door, syn);
  if (door == Door::kXdp) {
    EXPECT_EQ(out.verdict, Verdict::kPass) << "tc judges";
    EXPECT_EQ(out.bytes, syn);
    return;
  }
  EXPECT_EQ(out.verdict, Verdict::kDrop);
  EXPECT_EQ(tables.events(LIMPET_EVENT_UNREACHABLE), 1U);
}

TEST_P(NextHop, a_server_that_has_no_route_gets_nothing_and_neither_does_the_local_stack) {
  if (door == Door::kXdp) return;
  tables.add_server(tables.add(tcp_service(kVip, 80)), masq("203.0.113.5"));
  const Temporarily refused(kRefuseTheRest, kRefuseNoMore);
  const Temporarily isolated("route del default", "route add default via 192.168.2.1");
  EXPECT_EQ(run(door, packet().tcp(kSyn)).verdict, Verdict::kDrop);
}

TEST_P(NextHop, a_server_on_this_host_gets_its_packets_from_the_kernel) {
  const std::uint32_t server = tables.add_server(tables.add(tcp_service(kVip, 80)), route(kDirector));
  const Bytes syn = packet().tcp(kSyn).bytes();
  const Outcome out = run(door, syn);
  EXPECT_EQ(out.verdict, Verdict::kPass);
  EXPECT_EQ(out.view().destination(), kVip);
  EXPECT_EQ(tables.counts(server).total, door == Door::kXdp ? 0 : 1);
}

using AtXdp = PacketTest;

TEST_F(AtXdp, frames_leave_only_by_interfaces_whose_driver_takes_them) {
  hops_stay_fresh = false;
  tables.add_server(tables.add(tcp_service(kVip, 80)), route("192.168.3.20"));
  const Bytes syn = packet().tcp(kSyn).bytes();

  const Outcome left = run(Door::kXdp, syn);
  EXPECT_EQ(left.verdict, Verdict::kPass) << "eth1 is no XDP target: the tc door's";
  EXPECT_EQ(left.bytes, syn);
  EXPECT_TRUE(tables.nothing_is_recorded());

  plane.declare_device(World::instance().eth1(), LIMPET_DEVICE_XDP_TARGET);
  EXPECT_EQ(run(Door::kXdp, syn).verdict, Verdict::kSent);
  plane.declare_device(World::instance().eth1(), 0);
}

// Jumbo frames: their headers are in the first buffer.
TEST_F(AtXdp, a_frame_of_several_buffers_is_rewritten_and_sent_back_by_its_own_interface) {
  const Temporarily jumbo("link set eth0 mtu 9000", "link set eth0 mtu 1500");
  hops_stay_fresh = false;
  tables.add_server(tables.add(tcp_service(kVip, 80)), masq(kServerA, 8080));
  const Bytes syn = packet().tcp(kSyn).payload(6000).bytes();

  const Outcome out = run(Door::kXdp, syn);
  EXPECT_EQ(out.verdict, Verdict::kSent);
  ASSERT_EQ(out.bytes.size(), syn.size());
  EXPECT_EQ(out.view().destination(), kServerA);
  EXPECT_EQ(out.view().destination_port(), 8080);
  EXPECT_EQ(out.view().destination_mac(), kServerAMac);
  EXPECT_TRUE(out.view().ip_checksum_is_right());
  EXPECT_TRUE(out.view().l4_checksum_is_right());
}

TEST_F(AtXdp, a_frame_of_several_buffers_that_lies_about_its_length_passes) {
  tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  const Bytes syn = packet().tcp(kSyn).payload(6000).cut(5000).bytes();

  const Outcome out = run(Door::kXdp, syn);
  EXPECT_EQ(out.verdict, Verdict::kPass);
  EXPECT_EQ(out.bytes, syn);
  EXPECT_TRUE(tables.nothing_is_recorded());
}

// Few drivers take them from another device.
TEST_F(AtXdp, a_frame_of_several_buffers_for_another_interface_is_left_to_tc) {
  const Temporarily jumbo("link set eth1 mtu 9000", "link set eth1 mtu 1500");
  hops_stay_fresh = false;
  plane.declare_device(World::instance().eth1(), LIMPET_DEVICE_XDP_TARGET);
  tables.add_server(tables.add(tcp_service(kVip, 80)), route("192.168.3.20"));
  const Bytes syn = packet().tcp(kSyn).payload(6000).bytes();

  const Outcome out = run(Door::kXdp, syn);
  EXPECT_EQ(out.verdict, Verdict::kPass);
  EXPECT_EQ(out.bytes, syn);
  EXPECT_TRUE(tables.nothing_is_recorded());
  EXPECT_EQ(run(Door::kXdp, packet().tcp(kSyn)).verdict, Verdict::kSent) << "one of a single buffer goes";
  plane.declare_device(World::instance().eth1(), 0);
}

}  // namespace
}  // namespace limpet::packet
