// SPDX-License-Identifier: Apache-2.0
// Which packets open a flow, for which service, and what they leave in the tables.
#include <arpa/inet.h>

#include "fixture.h"

namespace limpet::packet {
namespace {

using Opening = AtDoor;
INSTANTIATE_TEST_SUITE_P(At, Opening, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(Opening, a_SYN_is_recorded_and_counted) {
  Service& http = tables.add(tcp_service(kVip, 80));
  const std::uint32_t server = tables.add_server(http, route(kServerA));

  run(door, packet().from("10.0.0.1", 5000).tcp(kSyn));

  const auto flow = tables.flow(flow_key("10.0.0.1", 5000, kVip, 80));
  ASSERT_TRUE(flow);
  EXPECT_EQ(life_of(flow->word), LIMPET_LIFE_ALIVE);
  EXPECT_EQ(state_of(*flow), LIMPET_TCP_SYN_RECV);
  EXPECT_NEAR(seconds_left(*flow), 60, 0.2);
  EXPECT_EQ(flow->destination, server);
  EXPECT_EQ(flow->method, LIMPET_ROUTE);
  EXPECT_TRUE(flow->word & LIMPET_FLOW_NOOUTPUT);
  EXPECT_EQ(tables.counts(server).active, 1);
  EXPECT_EQ(tables.counts(server).total, 1);
  EXPECT_EQ(tables.counters(server).connections, 1U);
  EXPECT_EQ(tables.reverse_entries(), 0U);
}

TEST_P(Opening, a_masqueraded_flow_has_a_reverse_entry) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, masq(kServerA, 8080));
  run(door, packet().tcp(kSyn));
  EXPECT_EQ(tables.reverse_entries(), 1U);
  EXPECT_FALSE(tables.flows().at(0).second.word & LIMPET_FLOW_NOOUTPUT);
  EXPECT_EQ(ntohs(tables.flows().at(0).second.destination_port), 8080);
}

TEST_P(Opening, a_SYN_ACK_opens_a_flow_for_active_FTP) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, route(kServerA));
  EXPECT_EQ(run(door, packet().tcp(kSyn | kAck)).verdict, Verdict::kSent);
  EXPECT_EQ(tables.flows().size(), 1U);
}

TEST_P(Opening, every_datagram_may_open_a_flow) {
  Service& dns = tables.add(udp_service(kVip, 53));
  const std::uint32_t server = tables.add_server(dns, route(kServerA));
  EXPECT_EQ(run(door, packet().to(kVip, 53).udp()).verdict, Verdict::kSent);
  ASSERT_EQ(tables.flows().size(), 1U);
  EXPECT_NEAR(seconds_left(tables.flows().at(0).second), 300, 0.2);
  EXPECT_EQ(tables.counts(server).active, 0) << "UDP is never active";
  EXPECT_EQ(tables.counts(server).total, 1);
}

TEST_P(Opening, sloppy_tcp_lets_any_segment_but_a_reset_open_a_flow) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, route(kServerA));
  tables.config().sloppy_tcp = 1;
  tables.store_config();
  EXPECT_EQ(run(door, packet().from("10.0.0.1", 1).tcp(kAck)).verdict, Verdict::kSent);
  EXPECT_EQ(run(door, packet().from("10.0.0.1", 2).tcp(kRst)).verdict, Verdict::kPass);
  EXPECT_EQ(tables.flows().size(), 1U);
}

TEST_P(Opening, the_address_and_port_come_before_port_0) {
  Service& any = tables.add(tcp_service(kVip, 0).persistent(300));
  Service& http = tables.add(tcp_service(kVip, 80));
  const std::uint32_t any_server = tables.add_server(any, route(kServerA, 0));
  const std::uint32_t http_server = tables.add_server(http, route(kServerB));
  EXPECT_EQ(connect("10.0.0.1", 5000, 80, door), http_server);
  EXPECT_EQ(connect("10.0.0.1", 5000, 443, door), any_server);
}

TEST_P(Opening, port_0_without_persistence_is_no_service) {
  Service& any = tables.add(tcp_service(kVip, 0));
  tables.add_server(any, route(kServerA, 0));
  EXPECT_EQ(run(door, packet().tcp(kSyn)).verdict, Verdict::kPass);
  EXPECT_TRUE(tables.nothing_is_recorded());
}

TEST_P(Opening, an_established_flow_outlives_its_service) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, route(kServerA));
  run(door, packet().tcp(kSyn));
  tables.remove(http);
  EXPECT_EQ(run(door, packet().tcp(kAck)).verdict, Verdict::kSent);
  EXPECT_EQ(run(door, packet().from("10.0.0.2", 1).tcp(kSyn)).verdict, Verdict::kPass);
}

TEST_P(Opening, the_servers_port_0_stands_for_the_packets_own) {
  Service& any = tables.add(tcp_service(kVip, 0).persistent(300));
  tables.add_server(any, masq(kServerA, 0));
  const Outcome out = run(door, packet().to(kVip, 443).tcp(kSyn));
  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.view().destination_port(), 443);
}

// ip_vs_sched_persist(): the server's port replaces the service's own port only.
TEST_P(Opening, a_port_0_services_packets_keep_their_port_whatever_the_servers_is) {
  Service& any = tables.add(tcp_service(kVip, 0).persistent(300));
  tables.add_server(any, masq(kServerA, 8080));
  const Outcome out = run(door, packet().to(kVip, 443).tcp(kSyn));
  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.view().destination_port(), 443);
}

class Marks : public PacketTest {};

TEST_F(Marks, a_mark_comes_before_the_address) {
  Service& marked = tables.add(mark_service(7));
  Service& http = tables.add(tcp_service(kVip, 80));
  const std::uint32_t marked_server = tables.add_server(marked, route(kServerA, 0));
  const std::uint32_t http_server = tables.add_server(http, route(kServerB));
  EXPECT_EQ(connect("10.0.0.1", 5000, 80, Door::kMark, 7), marked_server);
  EXPECT_EQ(connect("10.0.0.1", 5001, 80, Door::kMark, 8), http_server) << "no service has this mark";
  EXPECT_EQ(connect("10.0.0.1", 5002, 80, Door::kMark, 0), http_server);
}

TEST_F(Marks, a_flow_opened_by_its_mark_is_carried_at_every_door) {
  Service& marked = tables.add(mark_service(7));
  tables.add_server(marked, masq(kServerA, 0));
  tables.add_address(ip(kVip));
  run(Door::kMark, packet().to(kVip, 8443).tcp(kSyn), 7);
  for (const Door door : {Door::kTc, Door::kXdp, Door::kMark}) {
    const Outcome out = run(door, packet().to(kVip, 8443).tcp(kAck));
    ASSERT_EQ(out.verdict, Verdict::kSent) << name_of(door);
    EXPECT_EQ(out.view().destination(), kServerA);
    EXPECT_EQ(out.view().destination_port(), 8443);
  }
  run(Door::kTc, packet().from(kServerA, 8443).to("10.0.0.1", 40000).tcp(kAck));
  const Outcome reply = run(Door::kTc, packet().from(kServerA, 8443).to("10.0.0.1", 40000).tcp(kAck));
  ASSERT_EQ(reply.verdict, Verdict::kSent);
  EXPECT_EQ(reply.view().source(), kVip);
}

TEST_F(Marks, a_flow_makes_its_address_known_to_the_interfaces_doors) {
  Service& marked = tables.add(mark_service(7));
  tables.add_server(marked, route(kServerA, 0));
  run(Door::kMark, packet().to(kOtherVip, 80).tcp(kSyn), 7);
  EXPECT_EQ(run(Door::kTc, packet().to(kOtherVip, 80).tcp(kAck)).verdict, Verdict::kSent);
}

TEST_F(Marks, a_packet_for_no_service_is_given_back_with_the_TTL_it_came_with) {
  const Outcome out = run(Door::kMark, packet().tcp(kSyn).ttl(41), 7);
  EXPECT_EQ(out.verdict, Verdict::kPass);
  EXPECT_EQ(out.view().ttl(), 42);
  EXPECT_TRUE(out.view().ip_checksum_is_right());
  EXPECT_EQ(out.view().destination(), kVip);
}

TEST_F(Marks, marks_beyond_31_bits_are_marks_too) {
  Service& marked = tables.add(mark_service(0xffffffffU));
  const std::uint32_t server = tables.add_server(marked, route(kServerA, 0));
  EXPECT_EQ(connect("10.0.0.1", 5000, 80, Door::kMark, 0xffffffffU), server);
}

class Deferred : public PacketTest {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    tables.config().flags |= LIMPET_DEFER_IPV4;
    tables.store_config();
    server = tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  }
  std::uint32_t server = 0;
};

TEST_F(Deferred, first_packets_pass_the_interfaces_doors_untouched) {
  const Bytes syn = packet().tcp(kSyn).bytes();
  for (const Door door : {Door::kTc, Door::kXdp}) {
    const Outcome out = run(door, syn);
    EXPECT_EQ(out.verdict, Verdict::kPass);
    EXPECT_EQ(out.bytes, syn);
  }
  EXPECT_TRUE(tables.nothing_is_recorded());
}

TEST_F(Deferred, the_mark_door_opens_what_the_others_then_carry) {
  EXPECT_EQ(connect("10.0.0.1", 5000, 80, Door::kMark), server);
  for (const Door door : {Door::kTc, Door::kXdp}) {
    EXPECT_EQ(run(door, packet().from("10.0.0.1", 5000).tcp(kAck)).verdict, Verdict::kSent);
  }
}

TEST_F(Deferred, a_used_up_port_goes_through_netfilter_again) {
  connect("10.0.0.1", 5000, 80, Door::kMark);
  run(Door::kTc, packet().from("10.0.0.1", 5000).tcp(kRst));
  tables.let_pass(3600);
  const Bytes syn = packet().from("10.0.0.1", 5000).tcp(kSyn).bytes();
  EXPECT_EQ(run(Door::kTc, syn).verdict, Verdict::kPass);
  EXPECT_EQ(connect("10.0.0.1", 5000, 80, Door::kMark), server);
}

}  // namespace
}  // namespace limpet::packet
