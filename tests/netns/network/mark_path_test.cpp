// SPDX-License-Identifier: Apache-2.0
// Marked packets between a client, a director and a host behind it, without any data plane: whatever is led to limpet0
// comes out at limpet1 and goes on to the director itself.
#include "network/mark_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "namespace.h"
#include "network/interfaces.h"

namespace limpet::network {
namespace {

using test::Listener;
using test::Namespace;
using test::run;
using test::start_tcp_connection;
using test::succeeds;
using test::tcp_listener;

constexpr const char* kVip = "192.0.2.100";
constexpr const char* kBehind = "198.51.100.2";
constexpr const char* kFar = "203.0.113.5";  // the client sends for it by way of the director, who is not it

// A pair that has just been set up drops what is sent until the kernel has taken note of its carrier.
void wait_for_carrier(const std::string& interface) {
  run("timeout 10 sh -c 'until ip link show dev " + interface + " | grep -q \"state UP\"; do sleep 0.01; done'");
}

class MarkedTraffic : public testing::Test {
 protected:
  MarkedTraffic() {
    director_.enter();
    run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");  // its addresses come and go on their own
    run("ip link add eth0 type veth peer name c0 && ip link set c0 netns " + client_.path());
    run("ip link add eth1 type veth peer name s0 && ip link set s0 netns " + server_.path());
    run("ip addr add 192.0.2.1/24 dev eth0 && ip link set eth0 up && ip addr add 192.0.2.100/32 dev lo");
    run("ip addr add 198.51.100.1/24 dev eth1 && ip link set eth1 up");
    client_.enter();
    run("ip addr add 192.0.2.2/24 dev c0 && ip link set c0 up && ip route add default via 192.0.2.1");
    wait_for_carrier("c0");
    server_.enter();
    run("ip addr add 198.51.100.2/24 dev s0 && ip link set s0 up && ip route add default via 198.51.100.1");
    wait_for_carrier("s0");
    director_.enter();
    wait_for_carrier("eth0");
    wait_for_carrier("eth1");
  }

  ~MarkedTraffic() override { std::filesystem::remove_all(directory_); }

  // A MarkPath as a process of its own would make it: from the kernel and the state file alone.
  template <class Action>
  auto as_new_process(Action action) {
    director_.enter();
    auto netlink = Netlink::open();
    auto sysctls = Sysctls::open(directory_ + "/sysctls");
    MarkPath path(*netlink, *sysctls);
    return action(path);
  }

  void ensure(const MarkPathPlan& plan) {
    as_new_process([&](MarkPath& path) {
      const auto device = path.ensure_device();
      ASSERT_TRUE(device) << device.error().text;
      const auto done = path.ensure_rules(plan, {"eth0"});
      ASSERT_TRUE(done) << done.error().text;
    });
  }

  void mark_everything(const std::string& chain = "PREROUTING") {
    director_.enter();
    run("iptables -t mangle -A " + chain + " -j MARK --set-mark 10");
  }

  // How many packets come out at limpet1 when the client opens a connection.
  int led_away(const std::string& address) {
    director_.enter();
    wait_for_carrier("limpet0");
    Listener limpet1(kMarkPeer);
    client_.enter();
    const auto connection = start_tcp_connection(address, 80);
    const int packets = limpet1.packets_to(address);
    director_.enter();
    return packets;
  }

  bool client_can(const std::string& command) {
    client_.enter();
    const bool can = succeeds(command);
    director_.enter();
    return can;
  }

  // What makes packets of mark 10 for whatever address local, as the howtos on transparent proxies have it.
  void be_a_transparent_proxy() {
    director_.enter();
    run("ip rule add pref 1000 fwmark 10 lookup 100 && ip route add local default dev lo table 100");
  }

  // All that a user could see of us; an interface's operational state settles by itself.
  std::string everything() {
    director_.enter();
    return run(
        "ip -d rule; ip -d -6 rule; ip -d route show table all; ip -d -6 route show table all; (ip link; ip addr) | "
        "sed 's/ state [A-Z]*//';"
        "grep . /proc/sys/net/ipv4/conf/*/* /proc/sys/net/ipv4/ip_*");
  }

  std::string rules() { return run("ip rule show pref 0"); }

  const Namespace client_;
  const Namespace server_;
  const Namespace director_;

 private:
  std::string directory_ = [] {
    std::string name = std::filesystem::temp_directory_path() / "limpet-network-XXXXXX";
    return std::string(::mkdtemp(name.data()));
  }();
};

const MarkPathPlan kNothing;
const MarkPathPlan kMark10{.marks = {10}, .deferred_addresses = {}};

// Mark 10 among so many without a pattern that unmarked packets jump over them.
MarkPathPlan many_marks(std::uint32_t first = 0) {
  MarkPathPlan plan = kMark10;
  for (std::uint32_t i = 1; i <= 2 * kRulesWalked; ++i) plan.marks.insert(first + 0x7654321 * i);
  return plan;
}

TEST_F(MarkedTraffic, a_marked_syn_is_led_through_limpet0) {
  ensure(kMark10);
  mark_everything();
  EXPECT_EQ(led_away(kVip), 1);
}

TEST_F(MarkedTraffic, another_mark_is_not) {
  ensure({.marks = {11}, .deferred_addresses = {}});
  mark_everything();
  EXPECT_EQ(led_away(kVip), 0);
}

TEST_F(MarkedTraffic, an_unmarked_connection_is_untouched) {
  ensure(kMark10);
  const auto listener = tcp_listener(kVip, 80);
  EXPECT_EQ(led_away(kVip), 0);
  EXPECT_TRUE(is_accepted(listener));
}

TEST_F(MarkedTraffic, what_the_door_does_not_take_reaches_the_host) {
  ensure(kMark10);
  mark_everything();
  EXPECT_TRUE(client_can(std::string("ping -c1 -W2 ") + kVip));
  EXPECT_TRUE(client_can(std::string("ping -c1 -W2 -s 20000 ") + kVip));
  const auto listener = tcp_listener(kVip, 80);
  client_.enter();
  const auto connection = start_tcp_connection(kVip, 80);
  EXPECT_TRUE(transfers(listener, connection, 4'000'000));
}

TEST_F(MarkedTraffic, strict_source_checks_on_all_interfaces_do_not_stop_it) {
  run("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1");
  ensure(kMark10);
  mark_everything();
  EXPECT_TRUE(client_can(std::string("ping -c1 -W2 ") + kVip));
}

TEST_F(MarkedTraffic, marked_transit_traffic_goes_its_own_way) {
  run("sysctl -qw net.ipv4.ip_forward=1");
  ensure(kMark10);
  mark_everything();
  EXPECT_EQ(led_away(kBehind), 0);
  EXPECT_TRUE(client_can(std::string("ping -c1 -W2 ") + kBehind));
}

TEST_F(MarkedTraffic, the_hosts_own_connections_stay_on_the_host_whatever_their_mark) {
  ensure(kMark10);
  mark_everything("OUTPUT");
  Listener limpet1(kMarkPeer);
  const auto listener = tcp_listener(kVip, 80);
  const auto connection = start_tcp_connection(kVip, 80);
  EXPECT_TRUE(is_accepted(listener));
  EXPECT_EQ(limpet1.packets_to(kVip), 0);
}

TEST_F(MarkedTraffic, a_deferred_address_needs_no_mark) {
  MarkPathPlan plan;
  plan.deferred_addresses = {*Address::parse(kVip)};
  ensure(plan);
  EXPECT_EQ(led_away(kVip), 1);
  EXPECT_EQ(led_away("192.0.2.1"), 0);
  EXPECT_TRUE(client_can(std::string("ping -c1 -W2 ") + kVip));
  EXPECT_TRUE(succeeds(std::string("ping -c1 -W2 ") + kVip));
}

TEST_F(MarkedTraffic, a_local_prefix_is_led_away_as_a_whole) {
  run("ip route add local 10.0.0.0/8 dev lo");
  ensure(kMark10);
  mark_everything();
  EXPECT_EQ(led_away("10.9.8.7"), 1);
}

TEST_F(MarkedTraffic, addresses_come_and_go) {
  ensure(kMark10);
  mark_everything();
  run("ip addr add 192.0.2.101/32 dev lo");
  EXPECT_EQ(led_away("192.0.2.101"), 0);
  ensure(kMark10);
  EXPECT_EQ(led_away("192.0.2.101"), 1);
  run("ip addr del 192.0.2.101/32 dev lo");
  ensure(kMark10);
  EXPECT_EQ(led_away("192.0.2.101"), 0);
}

TEST_F(MarkedTraffic, a_packet_to_an_address_just_taken_away_does_not_circle) {
  run("ip addr add 10.9.8.7/32 dev lo");
  ensure(kMark10);
  mark_everything();
  run("ip addr del 10.9.8.7/32 dev lo");
  EXPECT_EQ(led_away("10.9.8.7"), 1);
}

TEST_F(MarkedTraffic, marks_come_and_go) {
  mark_everything();
  ensure({.marks = {11}, .deferred_addresses = {}});
  ensure({.marks = {9, 10, 11}, .deferred_addresses = {}});
  EXPECT_EQ(led_away(kVip), 1);
  EXPECT_EQ(rules(),
            "0:\tfrom all iif lo lookup local proto 76\n"
            "0:\tfrom all iif limpet0 lookup local proto 76\n"
            "0:\tfrom all iif limpet1 lookup local proto 76\n"
            "0:\tfrom all iif limpet1 blackhole proto 76\n"
            "0:\tfrom all fwmark 0x9 lookup 19536 proto 76\n"
            "0:\tfrom all fwmark 0xa/0xfffffffe lookup 19536 proto 76\n"
            "0:\tfrom all lookup local\n");
  ensure({.marks = {11}, .deferred_addresses = {}});
  EXPECT_EQ(led_away(kVip), 0);
}

TEST_F(MarkedTraffic, without_marks_only_the_devices_remain) {
  const std::string before = rules();
  ensure(kNothing);
  const std::string idle = everything();
  EXPECT_EQ(run("cat /proc/sys/net/ipv4/conf/eth0/forwarding"), "0\n");
  ensure(kMark10);
  EXPECT_EQ(run("cat /proc/sys/net/ipv4/conf/eth0/forwarding"), "1\n");
  ensure(kNothing);
  EXPECT_EQ(everything(), idle);
  EXPECT_EQ(rules(), before);
}

TEST_F(MarkedTraffic, another_process_removes_every_trace) {
  const std::string before = everything();
  for (MarkPathPlan plan : {kMark10, many_marks()}) {
    plan.deferred_addresses = {*Address::parse(kVip)};
    ensure(plan);
    EXPECT_NE(everything(), before);
    const auto removed = as_new_process([](MarkPath& path) { return path.remove(); });
    EXPECT_TRUE(removed) << removed.error().text;
    EXPECT_EQ(everything(), before);
  }
  EXPECT_TRUE(as_new_process([](MarkPath& path) { return path.remove(); }));
}

TEST_F(MarkedTraffic, a_second_ensure_changes_nothing) {
  for (const MarkPathPlan& plan : {kMark10, many_marks()}) {
    ensure(plan);
    const std::string before = everything();
    ensure(plan);
    EXPECT_EQ(everything(), before);
  }
}

TEST_F(MarkedTraffic, unmarked_packets_jump_over_many_marks_and_arrive) {
  run("sysctl -qw net.ipv4.ip_forward=1");
  ensure(many_marks());
  EXPECT_THAT(rules(), testing::HasSubstr("fwmark 0 goto 1"));
  EXPECT_TRUE(client_can(std::string("ping -c1 -W2 ") + kBehind));
  EXPECT_TRUE(client_can(std::string("ping -c1 -W2 ") + kVip));
  mark_everything();
  EXPECT_EQ(led_away(kVip), 1);
  EXPECT_EQ(led_away(kBehind), 0);
  EXPECT_TRUE(client_can(std::string("ping -c1 -W2 ") + kBehind));
}

TEST_F(MarkedTraffic, a_rule_added_without_a_preference_is_obeyed_beside_many_marks) {
  run("sysctl -qw net.ipv4.ip_forward=1");
  ensure(many_marks());
  run("ip rule add from 192.0.2.2 to " + std::string(kBehind) + " blackhole");
  ensure(many_marks());
  EXPECT_FALSE(client_can(std::string("ping -c1 -W0.2 ") + kBehind));
  EXPECT_TRUE(client_can(std::string("ping -c1 -W2 ") + kVip));
}

TEST_F(MarkedTraffic, what_a_transparent_proxys_rules_make_local_is_led_through_limpet0) {
  ensure(kMark10);
  mark_everything();
  EXPECT_EQ(led_away(kFar), 0);
  be_a_transparent_proxy();
  ensure(kMark10);
  EXPECT_EQ(led_away(kFar), 1);
  EXPECT_EQ(led_away(kVip), 1);
  run("ip rule del pref 1000");
  ensure(kMark10);
  EXPECT_EQ(led_away(kFar), 0);
  EXPECT_EQ(led_away(kVip), 1);
}

TEST_F(MarkedTraffic, a_transparent_proxys_own_packets_are_not_led) {
  be_a_transparent_proxy();
  ensure(kMark10);
  EXPECT_THAT(run(std::string("ip route get mark 10 ") + kFar), testing::StartsWith("local"));
  EXPECT_THAT(run(std::string("ip route get iif eth0 from 192.0.2.2 mark 10 ") + kFar), testing::HasSubstr("limpet0"));
}

TEST_F(MarkedTraffic, a_rule_that_comes_right_before_a_transparent_proxys_is_obeyed) {
  be_a_transparent_proxy();
  ensure(kMark10);
  mark_everything();
  run("ip rule add pref 999 from 192.0.2.2 lookup main && ip route add 203.0.113.0/24 dev eth1");
  ensure(kMark10);
  EXPECT_EQ(led_away(kFar), 0);
  const std::string before = everything();
  ensure(kMark10);
  EXPECT_EQ(everything(), before);
  run("ip rule del pref 999 from 192.0.2.2");
  ensure(kMark10);
  EXPECT_EQ(led_away(kFar), 1);
}

TEST_F(MarkedTraffic, where_the_rules_would_send_a_packet_can_be_asked) {
  be_a_transparent_proxy();
  as_new_process([](MarkPath& path) {
    ASSERT_TRUE(path.ensure_device());
    ASSERT_TRUE(path.ensure_rules(kMark10, {"eth0"}));
    const auto is_led = [&](const char* address, std::uint32_t mark) {
      return path
          .leads({.interface = static_cast<int>(::if_nametoindex("eth0")),
                  .source = *Address::parse("192.0.2.2"),
                  .destination = *Address::parse(address),
                  .mark = mark,
                  .ip_protocol = 6})
          .value();
    };
    EXPECT_TRUE(is_led(kFar, 10));
    EXPECT_TRUE(is_led(kVip, 10));
    EXPECT_FALSE(is_led(kVip, 0));
    run("ip rule add pref 500 to 203.0.113.0/24 lookup main && ip route add 203.0.113.0/24 dev eth1");
    EXPECT_FALSE(is_led(kFar, 10)) << "a rule before the proxy's";
  });
}

TEST_F(MarkedTraffic, marks_without_a_service_stay_with_the_transparent_proxy) {
  be_a_transparent_proxy();
  mark_everything();
  ensure({.marks = {11}, .deferred_addresses = {}});
  EXPECT_EQ(led_away(kFar), 0);
}

TEST_F(MarkedTraffic, what_the_door_does_not_take_of_a_transparent_proxys_reaches_the_host) {
  be_a_transparent_proxy();
  mark_everything();
  for (const MarkPathPlan& plan : {kMark10, many_marks()}) {
    ensure(plan);
    run("iptables -F INPUT; iptables -A INPUT -i limpet1 -d " + std::string(kFar));
    EXPECT_EQ(led_away(kFar), 1);
    EXPECT_THAT(run("iptables -nvxL INPUT"), testing::ContainsRegex("\n +1 +[0-9]+ .* limpet1 .*203.0.113.5"));
  }
}

TEST_F(MarkedTraffic, what_a_transparent_proxys_table_routes_elsewhere_goes_there) {
  run("sysctl -qw net.ipv4.ip_forward=1");
  be_a_transparent_proxy();
  run("ip route add 198.51.100.0/24 dev eth1 table 100");
  mark_everything("PREROUTING -i eth0");
  ensure(kMark10);
  EXPECT_EQ(led_away(kBehind), 0);
  EXPECT_TRUE(client_can(std::string("ping -c1 -W2 ") + kBehind));
  EXPECT_EQ(led_away(kFar), 1);
  run("ip route del 198.51.100.0/24 dev eth1 table 100");
  ensure(kMark10);
  EXPECT_EQ(led_away(kBehind), 1);
}

TEST_F(MarkedTraffic, of_a_transparent_proxys_way_every_trace_is_removed) {
  be_a_transparent_proxy();
  run("ip route add 198.51.100.0/24 dev eth1 table 100");
  const std::string before = everything();
  ensure(kMark10);
  const std::string led = everything();
  ensure(kMark10);
  EXPECT_EQ(everything(), led) << "a second time changes nothing";
  ensure(kNothing);
  EXPECT_THAT(run("ip rule; ip route show table all"), testing::Not(testing::HasSubstr("12803113")));
  ensure(kMark10);
  run("ip rule del pref 999; ip rule del pref 999");  // and so its table is not known by it
  EXPECT_TRUE(as_new_process([](MarkPath& path) { return path.remove(); }));
  EXPECT_EQ(everything(), before);
}

TEST_F(MarkedTraffic, a_transparent_proxys_rule_that_cannot_be_met_is_said) {
  run("ip rule add pref 1000 fwmark 10 to 203.0.113.0/24 lookup 100 && ip route add local default dev lo table 100");
  as_new_process([](MarkPath& path) {
    ASSERT_TRUE(path.ensure_device());
    ASSERT_TRUE(path.ensure_rules(kMark10, {"eth0"}));
    EXPECT_THAT(path.transparent_proxies().hazards, testing::ElementsAre(testing::HasSubstr("pref 1000 fwmark 0xa")));
  });
}

TEST_F(MarkedTraffic, disturbed_devices_are_repaired) {
  ensure(kMark10);
  mark_everything();
  run("ip link set limpet0 down && ip link set limpet1 mtu 1400 && ip addr flush dev limpet1");
  ensure(kMark10);
  EXPECT_EQ(led_away(kVip), 1);
  run("ip link set limpet1 netns " + client_.path());
  ensure(kMark10);
  EXPECT_EQ(led_away(kVip), 1);
}

TEST_F(MarkedTraffic, the_devices_send_nothing_of_their_own) {
  run("sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0");
  ensure(kNothing);
  EXPECT_EQ(run("ip -6 addr show dev limpet0; ip -6 addr show dev limpet1"), "");
  EXPECT_THAT(run("ip link show limpet0; ip link show limpet1"), testing::ContainsRegex("NOARP.*\n.*\n.*NOARP"));
}

TEST_F(MarkedTraffic, nobody_else_loses_a_packet_while_rules_are_exchanged) {
  client_.enter();
  std::string losses;
  std::thread pings([&] { losses = run(std::string("ping -q -i 0.002 -c 500 -W 1 ") + kVip + " || true"); });
  for (std::uint32_t round = 0; round < 40; ++round) {
    ensure({.marks = {10, 20 + round}, .deferred_addresses = {}});
    if (round % 4 == 0) ensure(kNothing);
    if (round % 4 == 2) ensure(many_marks(round));
  }
  pings.join();
  EXPECT_THAT(losses, testing::HasSubstr(" 0% packet loss"));
}

TEST_F(MarkedTraffic, a_stranger_named_limpet0_is_left_alone) {
  run("ip link add limpet0 type bridge");
  const auto device = as_new_process([](MarkPath& path) { return path.ensure_device(); });
  ASSERT_FALSE(device);
  EXPECT_THAT(device.error().text, testing::HasSubstr("limpet0"));
  EXPECT_TRUE(as_new_process([](MarkPath& path) { return path.remove(); }));
  EXPECT_TRUE(succeeds("ip link show limpet0"));
}

}  // namespace
}  // namespace limpet::network
