// SPDX-License-Identifier: Apache-2.0
// ICMP errors to clients, and what the doors do that cannot send them.
#include "fixture.h"

namespace limpet::packet {
namespace {

using Errors = AtDoor;
INSTANTIATE_TEST_SUITE_P(At, Errors, testing::Values(Door::kTc, Door::kMark), door_name);

constexpr std::size_t kIcmpHeader = 8;
constexpr std::size_t kMostQuoted = 128;

void expect_error(const Outcome& out, const Bytes& offending, std::uint8_t type, std::uint8_t code) {
  ASSERT_EQ(out.verdict, Verdict::kSent);
  const View view = out.view();
  EXPECT_EQ(view.protocol(), 1);
  EXPECT_EQ(view.source(), View(offending).destination());
  EXPECT_EQ(view.destination(), View(offending).source());
  EXPECT_EQ(out.bytes[kL4], type);
  EXPECT_EQ(out.bytes[kL4 + 1], code);
  EXPECT_TRUE(view.ip_checksum_is_right());
  EXPECT_TRUE(view.l4_checksum_is_right());
  const std::size_t quoted = view.total_length() - 20U - kIcmpHeader;
  EXPECT_GE(quoted, std::min<std::size_t>(28, View(offending).total_length()));
  EXPECT_LE(quoted, kMostQuoted);
  EXPECT_EQ(out.bytes.size(), kL4 + kIcmpHeader + quoted);
  const Bytes quote(out.bytes.begin() + kL4 + kIcmpHeader, out.bytes.end());
  const Bytes original(offending.begin() + kEthernet,
                       offending.begin() + static_cast<std::ptrdiff_t>(kEthernet + quoted));
  EXPECT_EQ(quote, original);
}

TEST_P(Errors, a_service_without_servers_answers_port_unreachable) {
  tables.add(tcp_service(kVip, 80));
  tables.add(udp_service(kVip, 53));
  for (const std::size_t size : {0U, 1U, 3U, 88U, 1400U}) {
    const Bytes segment = packet().tcp(kSyn).payload(size).bytes();
    expect_error(run(door, segment), segment, 3, 3);
    const Bytes datagram = packet().to(kVip, 53).udp().payload(size).bytes();
    expect_error(run(door, datagram), datagram, 3, 3);
  }
  EXPECT_EQ(tables.events(LIMPET_EVENT_NO_SERVER), 10U);
  EXPECT_TRUE(tables.flows().empty());
}

TEST_P(Errors, a_frames_padding_is_not_quoted) {
  tables.add(udp_service(kVip, 53));
  const Bytes padded = packet().to(kVip, 53).udp().padding(18).bytes();
  const Outcome out = run(door, padded);
  expect_error(out, padded, 3, 3);
  EXPECT_EQ(out.bytes.size(), kL4 + kIcmpHeader + 28);
}

TEST_P(Errors, servers_of_weight_0_only_are_as_good_as_none) {
  for (const limpet_scheduler scheduler :
       {LIMPET_RR, LIMPET_WRR, LIMPET_LC, LIMPET_WLC, LIMPET_SED, LIMPET_NQ, LIMPET_FO, LIMPET_OVF}) {
    Service& http = tables.add(tcp_service(kVip, static_cast<std::uint16_t>(80 + scheduler)).scheduled(scheduler));
    tables.add_server(http, route(kServerA).weight(0));
    tables.add_server(http, route(kServerB).weight(0));
    const Bytes syn = packet().to(kVip, static_cast<std::uint16_t>(80 + scheduler)).tcp(kSyn).bytes();
    expect_error(run(door, syn), syn, 3, 3);
  }
  EXPECT_TRUE(tables.flows().empty());
}

TEST_P(Errors, a_persistent_service_without_servers_leaves_no_template) {
  tables.add(tcp_service(kVip, 80).persistent(300));
  const Bytes syn = packet().tcp(kSyn).bytes();
  expect_error(run(door, syn), syn, 3, 3);
  EXPECT_TRUE(tables.templates().empty());
}

// The budget is one CPU's: fill all but two of this second's, and count what five packets get.
TEST_P(Errors, no_more_are_sent_in_a_second_than_the_limit) {
  tables.add(tcp_service(kVip, 80));
  const OnOneCpu here(0);
  for (bool within_a_second = false; !within_a_second;) {
    const std::uint64_t second = ticks_now() / LIMPET_TICKS_PER_SECOND;
    const std::vector<std::uint64_t> budget(static_cast<std::size_t>(plane.cpus()),
                                            second << 32 | (LIMPET_ICMP_PER_SECOND - 2));
    const std::uint32_t zero = 0;
    plane.map("icmp_budget").update(&zero, budget.data());
    const std::uint64_t limited = tables.events(LIMPET_EVENT_ICMP_LIMITED);
    std::vector<Verdict> verdicts;
    for (int i = 0; i < 5; i++) verdicts.push_back(run(door, packet().tcp(kSyn)).verdict);
    within_a_second = ticks_now() / LIMPET_TICKS_PER_SECOND == second;
    if (!within_a_second) continue;
    EXPECT_EQ(verdicts,
              (std::vector<Verdict>{Verdict::kSent, Verdict::kSent, Verdict::kDrop, Verdict::kDrop, Verdict::kDrop}));
    EXPECT_EQ(tables.events(LIMPET_EVENT_ICMP_LIMITED), limited + 3);
  }
}

TEST_P(Errors, a_packet_too_big_for_the_way_is_answered_with_its_MTU) {
  const Temporarily narrow("route add 192.168.2.20/32 dev eth0 mtu lock 1000", "route del 192.168.2.20/32");
  hops_stay_fresh = false;
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, route(kServerA));
  ASSERT_EQ(run(door, packet().tcp(kSyn)).verdict, Verdict::kSent);

  const Bytes big = packet().tcp(kAck).payload(961).dont_fragment().bytes();  // 1001 bytes
  const Bytes fits = packet().tcp(kAck).payload(960).dont_fragment().bytes();
  const Outcome answer = run(door, big);

  expect_error(answer, big, 3, 4);
  EXPECT_EQ(answer.view().word(kL4 + 6), 1000);
  const Outcome out = run(door, fits);
  EXPECT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.view().protocol(), 6);
}

TEST_P(Errors, a_merged_packet_is_not_too_big_it_will_be_cut_again) {
  const Temporarily narrow("route add 192.168.2.20/32 dev eth0 mtu lock 1000", "route del 192.168.2.20/32");
  hops_stay_fresh = false;
  tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  run(door, packet().tcp(kSyn));
  const Outcome out = plane.run(door, packet().tcp(kAck).payload(1400).dont_fragment().bytes(), 0, 3);
  EXPECT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.view().protocol(), 6);
}

using TimeExceeded = PacketTest;

TEST_F(TimeExceeded, the_last_TTL_is_answered_at_the_tc_door) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, masq(kServerA));
  for (const std::uint8_t ttl : {std::uint8_t{0}, std::uint8_t{1}}) {
    const Bytes spent = packet().tcp(kSyn).ttl(ttl).bytes();
    expect_error(run(Door::kTc, spent), spent, 11, 0);
  }
}

TEST_F(TimeExceeded, the_xdp_door_leaves_it_to_tc) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, masq(kServerA));
  const Bytes spent = packet().tcp(kSyn).ttl(1).bytes();
  const Outcome out = run(Door::kXdp, spent);
  EXPECT_EQ(out.verdict, Verdict::kPass);
  EXPECT_EQ(out.bytes, spent);
  EXPECT_TRUE(tables.nothing_is_recorded());
}

TEST_F(TimeExceeded, the_kernel_has_taken_the_mark_doors_TTL_already) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, route(kServerA));
  const Outcome out = run(Door::kMark, packet().tcp(kSyn).ttl(1));
  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.view().ttl(), 1);
  EXPECT_EQ(out.view().protocol(), 6);
}

using LeftToTc = PacketTest;

TEST_F(LeftToTc, the_xdp_door_sends_no_errors) {
  tables.add(tcp_service(kVip, 80));
  const Bytes syn = packet().tcp(kSyn).bytes();
  const Outcome out = run(Door::kXdp, syn);
  EXPECT_EQ(out.verdict, Verdict::kPass);
  EXPECT_EQ(out.bytes, syn);
  EXPECT_TRUE(tables.nothing_is_recorded());
}

TEST_F(LeftToTc, the_xdp_door_leaves_a_packet_too_big_for_the_way_as_it_was) {
  const Temporarily narrow("route add 192.168.2.20/32 dev eth0 mtu lock 1000", "route del 192.168.2.20/32");
  hops_stay_fresh = false;
  Service& http = tables.add(tcp_service(kVip, 80));
  const std::uint32_t server = tables.add_server(http, route(kServerA));
  run(Door::kTc, packet().tcp(kSyn));
  const auto before = tables.flow(flow_key("10.0.0.1", 40000, kVip, 80));
  const Bytes big = packet().tcp(kAck).payload(961).dont_fragment().bytes();

  const Outcome out = run(Door::kXdp, big);

  EXPECT_EQ(out.verdict, Verdict::kPass);
  EXPECT_EQ(out.bytes, big);
  EXPECT_EQ(tables.flow(flow_key("10.0.0.1", 40000, kVip, 80))->word, before->word);
  EXPECT_EQ(tables.counters(server).in_packets, 1U);
}

}  // namespace
}  // namespace limpet::packet
