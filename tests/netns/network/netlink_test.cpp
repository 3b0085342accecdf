// SPDX-License-Identifier: Apache-2.0
// Reading and changing the kernel's tables.
#include "network/netlink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "namespace.h"
#include "network/interfaces.h"
#include "network/monitor.h"
#include "network/namespace_cookie.h"

namespace limpet::network {
namespace {

using test::Namespace;
using test::run;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

Address address(const char* text) { return *Address::parse(text); }

class KernelTables : public testing::Test {
 protected:
  KernelTables() {
    host_.enter();
    run("ip link add eth0 address 02:00:00:00:00:01 mtu 1400 type veth peer name far");
    run("ip link set far netns " + far_.path() + " && ip addr add 192.0.2.1/24 dev eth0 && ip link set eth0 up");
    far_.enter();
    run("ip addr add 192.0.2.2/24 dev far && ip link set far address 02:00:00:00:00:02 up");
    host_.enter();
    netlink_ = std::make_unique<Netlink>(std::move(*Netlink::open()));
  }

  Link link(const std::string& name) { return netlink_->link(name)->value(); }
  int index(const std::string& name) { return link(name).index; }

  const Namespace far_;
  const Namespace host_;
  std::unique_ptr<Netlink> netlink_;
};

TEST_F(KernelTables, a_link_is_read_with_its_kind_address_and_mtu) {
  const Link eth0 = link("eth0");
  EXPECT_EQ(eth0.kind, "veth");
  EXPECT_EQ(mac_to_string(eth0.mac), "02:00:00:00:00:01");
  EXPECT_EQ(eth0.mtu, 1400U);
  EXPECT_TRUE(eth0.is_up());
  EXPECT_EQ(eth0.peer_index, 0);
  EXPECT_EQ(link("lo").kind, "");
  EXPECT_EQ(netlink_->link("eth7").value(), std::nullopt);
}

TEST_F(KernelTables, a_bridge_takes_the_door_of_its_port) {
  run("ip link add br0 type bridge && ip link set eth0 master br0");
  EXPECT_EQ(link("eth0").master_index, index("br0"));
  EXPECT_EQ(link("eth0").master_kind, "bridge");
  const auto doors = door_links(netlink_->links().value());
  ASSERT_EQ(doors.size(), 1U);
  EXPECT_EQ(doors.front().name, "br0");
}

TEST_F(KernelTables, a_veth_pair_has_what_was_asked_for_and_can_be_deleted) {
  const MacAddress mac = {2, 0, 0, 0, 0, 9};
  ASSERT_TRUE(netlink_->create_veth_pair("one", "two", mac, 9000));
  EXPECT_EQ(link("one").peer_index, index("two"));
  EXPECT_EQ(link("two").mac, mac);
  EXPECT_EQ(link("two").mtu, 9000U);
  const auto again = netlink_->create_veth_pair("one", "two", mac, 9000);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().text, HasSubstr("creating the veth pair one and two: File exists"));
  const int one = index("one");
  EXPECT_TRUE(netlink_->delete_link(one));
  EXPECT_TRUE(netlink_->delete_link(one));
  EXPECT_EQ(netlink_->link("two").value(), std::nullopt);
}

TEST_F(KernelTables, addresses_and_local_prefixes_of_both_families_are_listed) {
  run("ip route add local 10.0.0.0/8 dev lo && ip addr add 2001:db8::1/64 dev eth0 nodad");
  const InterfaceAddress expected{.interface = index("eth0"), .address = address("192.0.2.1"), .prefix_length = 24};
  EXPECT_THAT(netlink_->addresses().value(), Contains(expected));
  const auto local = netlink_->local_prefixes(Family::ipv4).value();
  EXPECT_THAT(local, Contains(Prefix::host(address("192.0.2.1"))));
  EXPECT_THAT(local, Contains(Prefix{address("10.0.0.0"), 8}));
  EXPECT_THAT(local, Not(Contains(Prefix::host(address("192.0.2.255")))));
  EXPECT_THAT(netlink_->local_prefixes(Family::ipv6).value(), Contains(Prefix::host(address("2001:db8::1"))));
}

TEST_F(KernelTables, a_table_never_used_is_empty) { EXPECT_TRUE(netlink_->routes(Family::ipv4, 19536)->empty()); }

TEST_F(KernelTables, only_limpets_own_routes_are_deleted) {
  ASSERT_TRUE(netlink_->add_route(Prefix::host(address("10.1.1.1")), index("eth0"), 19536));
  run("ip route add 10.2.2.2 dev eth0 table 19536");
  EXPECT_EQ(netlink_->routes(Family::ipv4, 19536)->size(), 2U);
  EXPECT_TRUE(netlink_->delete_route(Prefix::host(address("10.1.1.1")), 19536));
  EXPECT_TRUE(netlink_->delete_route(Prefix::host(address("10.2.2.2")), 19536));
  const auto left = netlink_->routes(Family::ipv4, 19536).value();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left.front().prefix.to_string(), "10.2.2.2/32");
}

TEST_F(KernelTables, thousands_of_addresses_are_listed) {
  run("for b in $(seq 0 9); do for c in $(seq 1 250); do echo addr add 10.0.$b.$c/32 dev lo; done; done | ip -batch -");
  EXPECT_GE(netlink_->local_prefixes(Family::ipv4)->size(), 2500U);
}

TEST_F(KernelTables, the_next_hop_is_what_the_kernel_would_use) {
  run("ip route add 198.51.100.0/24 via 192.0.2.2 && ip route add 203.0.113.0/24 via inet6 fe80::1 dev eth0");
  const auto on_link = netlink_->next_hop(address("192.0.2.2")).value();
  EXPECT_EQ(on_link.interface, index("eth0"));
  EXPECT_EQ(on_link.gateway, std::nullopt);
  EXPECT_EQ(netlink_->next_hop(address("198.51.100.9"))->gateway, address("192.0.2.2"));
  EXPECT_EQ(netlink_->next_hop(address("203.0.113.9"))->gateway, address("fe80::1"));
  EXPECT_TRUE(netlink_->next_hop(address("192.0.2.1"))->local);
  const auto none = netlink_->next_hop(address("198.18.0.1"));
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text, HasSubstr("finding a route to 198.18.0.1: Network is unreachable"));
}

TEST_F(KernelTables, a_kept_neighbour_is_resolved_by_the_kernel) {
  const int eth0 = index("eth0");
  ASSERT_TRUE(netlink_->keep_neighbour(eth0, address("192.0.2.2")));
  std::optional<Neighbour> neighbour;
  for (int round = 0; round < 50 && !(neighbour && neighbour->mac); ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    neighbour = netlink_->neighbour(eth0, address("192.0.2.2")).value();
  }
  ASSERT_TRUE(neighbour && neighbour->mac);
  EXPECT_EQ(mac_to_string(*neighbour->mac), "02:00:00:00:00:02");
  EXPECT_TRUE(neighbour->managed);
  EXPECT_EQ(neighbour->protocol, kRouteProtocol);
  EXPECT_EQ(netlink_->neighbours(Family::ipv4)->size(), 1U);
  EXPECT_TRUE(netlink_->keep_neighbour(eth0, address("192.0.2.2")));
  EXPECT_TRUE(netlink_->delete_neighbour(eth0, address("192.0.2.2")));
  EXPECT_TRUE(netlink_->delete_neighbour(eth0, address("192.0.2.2")));
}

TEST_F(KernelTables, a_neighbour_already_known_becomes_a_kept_one_and_stays_resolved) {
  run("ping -c1 -W1 192.0.2.2");
  ASSERT_TRUE(netlink_->keep_neighbour(index("eth0"), address("192.0.2.2")));
  const auto neighbour = netlink_->neighbour(index("eth0"), address("192.0.2.2")).value();
  ASSERT_TRUE(neighbour);
  EXPECT_TRUE(neighbour->managed);
  EXPECT_TRUE(neighbour->mac);
}

TEST_F(KernelTables, an_administrators_permanent_neighbour_stays_as_it_is) {
  run("ip neigh add 192.0.2.3 lladdr 02:00:00:00:00:03 nud permanent dev eth0");
  ASSERT_TRUE(netlink_->keep_neighbour(index("eth0"), address("192.0.2.3")));
  const auto neighbour = netlink_->neighbour(index("eth0"), address("192.0.2.3")).value();
  ASSERT_TRUE(neighbour);
  EXPECT_EQ(neighbour->state, NUD_PERMANENT);
  EXPECT_FALSE(neighbour->managed);
}

TEST_F(KernelTables, a_rule_with_selectors_unknown_here_is_told_apart) {
  run("ip rule add pref 5 to 192.0.2.0/24 lookup local && ip rule add pref 6 fwmark 0x10/0xf0 lookup 100");
  const auto rules = netlink_->rules(Family::ipv4).value();
  ASSERT_EQ(rules.size(), 5U);
  EXPECT_FALSE(rules[0].narrowed_otherwise);
  EXPECT_TRUE(rules[1].narrowed_otherwise);
  EXPECT_FALSE(rules[1].inverted);
  EXPECT_EQ(rules[2].to_string(), "pref 6 fwmark 0x10/0xf0 lookup 100");
  EXPECT_FALSE(rules[2].narrowed_otherwise);
}

TEST_F(KernelTables, the_kernels_own_words_are_part_of_an_error) {
  const auto refused = netlink_->add_route(Prefix{address("10.0.0.1"), 8}, index("eth0"), 19536);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("10.0.0.1/8"));
  EXPECT_THAT(refused.error().text, HasSubstr("(Invalid prefix"));
}

TEST_F(KernelTables, each_namespace_has_a_cookie_of_its_own) {
  const auto here = network_namespace_cookie();
  EXPECT_NE(here, 0U);
  EXPECT_EQ(network_namespace_cookie(), here);
  far_.enter();
  EXPECT_NE(network_namespace_cookie(), here);
}

TEST_F(KernelTables, changes_are_noticed_by_kind) {
  // A veth pair's carrier and IPv6's own addresses are news of their own, seconds after the pair has been set up.
  const Namespace quiet;
  run("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6");
  auto monitor = Monitor::open();
  ASSERT_TRUE(monitor);
  EXPECT_FALSE(monitor->read()->any());
  run("ip link set lo mtu 2000");
  EXPECT_EQ(monitor->read().value(), Changes{.links = true});
  run("ip route add local 10.0.0.0/8 dev lo");
  EXPECT_EQ(monitor->read().value(), Changes{.addresses = true});
  run("ip route add 198.51.100.0/24 dev lo");
  EXPECT_EQ(monitor->read().value(), Changes{.routes = true});
  run("ip rule add pref 7 lookup 100");
  EXPECT_EQ(monitor->read().value(), Changes{.rules = true});
  EXPECT_FALSE(monitor->read()->any());
}

TEST_F(KernelTables, too_many_changes_to_keep_count_as_a_change_of_everything) {
  auto monitor = Monitor::open();
  ASSERT_TRUE(monitor);
  run("for b in $(seq 0 9); do for c in $(seq 1 250); do echo addr add 10.0.$b.$c/32 dev lo; done; done | ip -batch -");
  Changes seen;
  for (int round = 0; round < 100; ++round) {
    const Changes some = monitor->read().value();
    if (!some.any()) break;
    seen |= some;
  }
  EXPECT_EQ(seen, kEverythingChanged);
}

}  // namespace
}  // namespace limpet::network
