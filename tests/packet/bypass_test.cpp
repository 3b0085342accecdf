// SPDX-License-Identifier: Apache-2.0
// cache_bypass: what no server of a mark service takes goes on to the address it was sent to, and stays on that way.
// What a real kernel (Linux 6.1) did in such a set-up of a transparent proxy.
#include "fixture.h"

namespace limpet::packet {
namespace {

constexpr std::uint32_t kServiceMark = 10;
const std::string kElsewhere = "203.0.113.5";  // not the director's: by the gateway
const std::string kAsking = "10.0.0.1";

class Bypass : public PacketTest {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    set_bypass(1);
    service = &tables.add(mark_service(kServiceMark));
  }
  void set_bypass(std::uint32_t value) {
    tables.config().cache_bypass = value;
    tables.store_config();
  }
  Outcome send(std::uint16_t port, int flags = kSyn, const std::string& to = kElsewhere) {
    return run(Door::kMark, packet().from(kAsking, port).to(to, 80).tcp(flags), kServiceMark);
  }
  Outcome ask(std::uint16_t port) {
    return run(Door::kMark, packet().from(kAsking, port).to(kElsewhere, 80).udp(), kServiceMark);
  }
  std::optional<limpet_flow> flow(std::uint16_t port, const std::string& to = kElsewhere, std::uint8_t protocol = 6) {
    return tables.flow(flow_key(kAsking, port, to, 80, protocol));
  }
  void expect_past_the_servers(const Outcome& out, const std::string& to = kElsewhere) {
    EXPECT_EQ(out.verdict, Verdict::kSent);
    EXPECT_EQ(out.view().destination_mac(), kGatewayMac);
    EXPECT_EQ(out.view().source(), kAsking);
    EXPECT_EQ(out.view().destination(), to);
    EXPECT_EQ(out.view().destination_port(), 80);
    EXPECT_TRUE(out.view().l4_checksum_is_right());
  }
  void expect_refused(const Outcome& out) {
    EXPECT_EQ(out.verdict, Verdict::kSent);
    EXPECT_EQ(out.view().protocol(), 1) << "an ICMP error";
  }

  Service* service = nullptr;
};

TEST_F(Bypass, what_no_server_takes_goes_to_the_address_it_was_sent_to) {
  const std::uint32_t server = tables.add_server(*service, route(kServerA).weight(0));
  expect_past_the_servers(send(1000));
  ASSERT_TRUE(flow(1000));
  EXPECT_EQ(flow(1000)->destination, LIMPET_BYPASS);
  EXPECT_EQ(flow(1000)->destination_port, 0);
  EXPECT_EQ(flow(1000)->mark, kServiceMark);
  expect_past_the_servers(ask(1000));
  EXPECT_TRUE(flow(1000, kElsewhere, 17));
  EXPECT_EQ(tables.counts(server).total, 0);
  EXPECT_EQ(tables.counters(server).in_packets, 0U);
  EXPECT_EQ(tables.reverse_entries(), 0U);
  EXPECT_EQ(tables.events(LIMPET_EVENT_NO_SERVER), 0U);
}

TEST_F(Bypass, a_service_without_any_server_does_the_same) { expect_past_the_servers(send(1000)); }

// The director sees no reply, yet the states are those of both ways.
TEST_F(Bypass, the_states_are_the_kernels) {
  const auto state = [&](std::uint16_t port, const std::vector<int>& flags) {
    for (const int each : flags) expect_past_the_servers(send(port, each));
    return state_of(*flow(port));
  };
  EXPECT_EQ(state(1401, {kSyn}), LIMPET_TCP_SYN_RECV);
  EXPECT_EQ(state(1402, {kSyn, kAck}), LIMPET_TCP_ESTABLISHED);
  EXPECT_EQ(state(1403, {kSyn, kAck, kFin | kAck}), LIMPET_TCP_CLOSE_WAIT);
  EXPECT_EQ(state(1404, {kSyn, kAck, kRst}), LIMPET_TCP_CLOSE);
  EXPECT_EQ(state(1407, {kSyn, kAck, kFin | kAck, kSyn}), LIMPET_TCP_SYN_RECV);
}

TEST_F(Bypass, what_opens_nothing_is_given_back) {
  EXPECT_EQ(send(1405, kAck).verdict, Verdict::kPass);
  EXPECT_FALSE(flow(1405));
}

TEST_F(Bypass, without_the_setting_it_is_refused) {
  set_bypass(0);
  expect_refused(send(1000));
  EXPECT_FALSE(flow(1000));
}

TEST_F(Bypass, what_is_for_the_director_itself_is_refused) {
  expect_refused(send(1000, kSyn, kVip));
  EXPECT_FALSE(flow(1000, kVip));
}

TEST_F(PacketTest, services_of_an_address_refuse_whatever_cache_bypass_says) {
  tables.config().cache_bypass = 1;
  tables.store_config();
  tables.add(tcp_service(kVip, 80));
  for (const Door door : {Door::kTc, Door::kMark})
    EXPECT_EQ(run(door, packet().from(kAsking, 1000).tcp(kSyn)).view().protocol(), 1);
}

TEST_F(Bypass, connections_stay_where_they_are_when_a_server_is_back_or_the_setting_goes) {
  const std::uint32_t server = tables.add_server(*service, route(kServerA).weight(0));
  send(1000);
  tables.weigh(*service, server, 1);
  set_bypass(0);
  expect_past_the_servers(send(1000, kAck));
  EXPECT_EQ(send(1001).view().destination_mac(), kServerAMac);
}

TEST_F(Bypass, a_port_that_is_used_again_is_scheduled_again) {
  const std::uint32_t server = tables.add_server(*service, route(kServerA).weight(0));
  for (const int flags : {+kSyn, +kAck, kAck | kRst}) send(1000, flags);
  tables.weigh(*service, server, 1);
  EXPECT_EQ(send(1000).view().destination_mac(), kServerAMac);
  EXPECT_EQ(flow(1000)->destination, server);
  EXPECT_EQ(tables.counts(LIMPET_BYPASS).total, 0);
}

// Its rules are for connections of servers.
TEST_F(Bypass, expire_nodest_conn_leaves_such_connections_alone) {
  const std::uint32_t server = tables.add_server(*service, route(kServerA).weight(0));
  send(1000);
  send(1000, kAck);
  tables.weigh(*service, server, 1);
  tables.config().expire_nodest_conn = 1;
  tables.store_config();
  tables.sweep(LIMPET_EXPIRE_FLOWS4, LIMPET_EXPIRE_TEMPLATES4);
  expect_past_the_servers(send(1000, kAck));
  expect_past_the_servers(send(1000, kSyn));
  EXPECT_EQ(flow(1000)->destination, LIMPET_BYPASS);
}

TEST_F(Bypass, a_persistent_service_makes_no_template_of_it) {
  service->spec.timeout = 300;
  tables.store(*service);
  const std::uint32_t server = tables.add_server(*service, route(kServerA).weight(0));
  expect_past_the_servers(send(1000));
  EXPECT_TRUE(tables.templates().empty());
  tables.weigh(*service, server, 1);
  EXPECT_EQ(send(1001).view().destination_mac(), kServerAMac);
  ASSERT_EQ(tables.templates().size(), 1U);
  tables.weigh(*service, server, 0);
  EXPECT_EQ(send(1002).view().destination_mac(), kServerAMac) << "the template's client stays";
  tables.config().expire_quiescent_template = 1;
  tables.store_config();
  expect_past_the_servers(send(1003));
  expect_templates_hold_their_flows();
}

TEST_F(Bypass, an_overloaded_server_takes_none) {
  const std::uint32_t server = tables.add_server(*service, route(kServerA).thresholds(1));
  EXPECT_EQ(send(1000).view().destination_mac(), kServerAMac);
  expect_past_the_servers(send(1001));
  EXPECT_EQ(tables.counts(server).total, 1);
}

TEST_F(Bypass, one_packet_scheduling_leaves_no_entry) {
  service->spec.one_packet = true;
  tables.store(*service);
  for (int i = 0; i < 2; i++) expect_past_the_servers(ask(1000));
  EXPECT_TRUE(tables.flows().empty());
  expect_past_the_servers(send(1000));
  EXPECT_TRUE(flow(1000)) << "TCP has its connection";
}

TEST_F(Bypass, an_end_settles_what_is_counted) {
  send(1000);
  send(1001);
  send(1001, kAck);
  EXPECT_EQ(tables.counts(LIMPET_BYPASS).total, 2);
  tables.let_pass(901);
  tables.sweep();
  tables.let_pass(2);
  tables.sweep();
  EXPECT_TRUE(tables.flows().empty());
  EXPECT_EQ(tables.counts(LIMPET_BYPASS).total, 0);
  EXPECT_EQ(tables.counts(LIMPET_BYPASS).active, 0);
}

// ip_vs_bypass_xmit() sends nothing to the host itself.
TEST_F(Bypass, a_connection_is_dropped_when_its_address_comes_to_the_director) {
  send(1000);
  {
    const Temporarily here("addr add " + kElsewhere + "/32 dev eth0", "addr del " + kElsewhere + "/32 dev eth0");
    tables.forget_hops();
    EXPECT_EQ(send(1000, kAck).verdict, Verdict::kDrop);
    expect_refused(send(1001, kSyn));
  }
  tables.forget_hops();
  expect_past_the_servers(send(1000, kAck));
}

TEST_F(Bypass, without_a_route_it_is_dropped) {
  const Temporarily nowhere("route add unreachable " + kElsewhere, "route del unreachable " + kElsewhere);
  tables.forget_hops();
  EXPECT_EQ(send(1000).verdict, Verdict::kDrop);
  EXPECT_EQ(tables.events(LIMPET_EVENT_UNREACHABLE), 1U);
}

TEST_F(Bypass, an_unresolved_neighbour_is_asked_for_by_the_return_door) {
  const Temporarily by("route add " + kElsewhere + " via " + kSilentServer, "route del " + kElsewhere);
  tables.forget_hops();
  const Outcome crossed = send(1000);
  ASSERT_EQ(crossed.verdict, Verdict::kCross);
  EXPECT_EQ(run(Door::kReturn, crossed.bytes, kServiceMark).verdict, Verdict::kSent);
}

// The way of clients at tc and XDP: their address is not the director's, so netfilter decides over every packet.
TEST_F(Bypass, the_other_doors_pass_its_packets_on) {
  send(1000);
  tables.add_address(ip(kElsewhere));
  for (const Door door : {Door::kTc, Door::kXdp})
    EXPECT_EQ(run(door, packet().from(kAsking, 1000).to(kElsewhere, 80).tcp(kAck)).verdict, Verdict::kPass);
}

TEST_F(Bypass, explain_says_so_of_a_new_connection_and_of_one_that_is_there) {
  const std::uint32_t server = tables.add_server(*service, route(kServerA).weight(0));
  limpet_explain question{};
  question.key = flow_key(kAsking, 1000, kElsewhere, 80);
  question.mark = kServiceMark;
  EXPECT_EQ(plane.explain(question).rule, LIMPET_EXPLAIN_NOT_LOCAL);
  question.flags = LIMPET_EXPLAIN_LED;
  limpet_explain answer = plane.explain(question);
  EXPECT_EQ(answer.rule, LIMPET_EXPLAIN_BYPASS);
  EXPECT_EQ(answer.destination, LIMPET_BYPASS);
  EXPECT_EQ(answer.hop_kind, LIMPET_HOP_READY);
  EXPECT_EQ(answer.service.mark, kServiceMark);
  send(1000);
  tables.weigh(*service, server, 1);
  answer = plane.explain(question);
  EXPECT_EQ(answer.rule, LIMPET_EXPLAIN_BYPASS);
  EXPECT_NE(answer.word, 0U);
  EXPECT_EQ(answer.service.mark, kServiceMark);
  question.key = flow_key(kAsking, 1001, kElsewhere, 80);
  answer = plane.explain(question);
  EXPECT_EQ(answer.rule, LIMPET_EXPLAIN_SCHEDULER);
  EXPECT_EQ(answer.destination, server);
}

}  // namespace
}  // namespace limpet::packet
