// SPDX-License-Identifier: Apache-2.0
// Servers that are taken away and come back, and what is counted for whom.
#include "fixture.h"

namespace limpet::packet {
namespace {

class Removal : public AtDoor {
 protected:
  void SetUp() override {
    AtDoor::SetUp();
    service = &tables.add(tcp_service(kVip, 80));
    const auto ids = tables.add_servers(*service, {masq(kServerA), masq(kServerB)});
    second = ids[0];
    first = ids[1];
    ASSERT_EQ(connect("10.0.0.1", 5000, 80, door), first);
  }
  Verdict send(int flags) { return run(door, packet().from("10.0.0.1", 5000).tcp(flags)).verdict; }
  limpet_flow flow() { return tables.flow(flow_key("10.0.0.1", 5000, kVip, 80)).value(); }
  void expire_nodest_conn() {
    tables.config().expire_nodest_conn = 1;
    tables.store_config();
  }

  Service* service = nullptr;
  std::uint32_t first = 0, second = 0;
};
INSTANTIATE_TEST_SUITE_P(At, Removal, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(Removal, a_removed_servers_connection_is_silently_dropped_and_not_prolonged) {
  const auto before = flow().word;
  const auto counted = tables.counters(first);
  tables.remove_server(*service, first);
  tables.let_pass(10);
  const auto aged = flow().word;
  EXPECT_NE(aged, before);
  EXPECT_EQ(send(kAck), Verdict::kDrop);
  EXPECT_EQ(send(kSyn), Verdict::kDrop);
  EXPECT_EQ(flow().word, aged);
  EXPECT_EQ(tables.counters(first).in_packets, counted.in_packets);
  EXPECT_EQ(tables.events(LIMPET_EVENT_UNAVAILABLE), 2U);
}

TEST_P(Removal, a_server_that_comes_back_has_its_connections_back) {
  tables.remove_server(*service, first);
  EXPECT_EQ(send(kAck), Verdict::kDrop);
  tables.restore_server(*service, first);
  EXPECT_EQ(send(kAck), Verdict::kSent);
  EXPECT_EQ(tables.counts(first).total, 1);
}

TEST_P(Removal, expire_nodest_conn_schedules_a_SYN_anew) {
  expire_nodest_conn();
  tables.remove_server(*service, first);
  EXPECT_EQ(send(kSyn), Verdict::kSent);
  EXPECT_EQ(flow().destination, second);
  EXPECT_EQ(tables.counts(first).total, 0);
  EXPECT_EQ(tables.counts(first).active, 0);
  EXPECT_EQ(tables.reverse_entries(), 1U);
}

TEST_P(Removal, expire_nodest_conn_lets_the_local_stack_reset_the_others) {
  expire_nodest_conn();
  tables.remove_server(*service, first);
  EXPECT_EQ(send(kAck), Verdict::kPass);
}

// ip_vs_in_hook(): the entry has ended with the packet, though that opens nothing; the server added again does not get
// it.
TEST_P(Removal, expire_nodest_conn_ends_a_connection_with_its_next_packet) {
  expire_nodest_conn();
  tables.remove_server(*service, first);
  EXPECT_EQ(send(kAck), Verdict::kPass);
  EXPECT_EQ(life_of(flow().word), LIMPET_LIFE_DEAD);
  EXPECT_EQ(tables.counts(first).total, 0);
  EXPECT_EQ(tables.counts(first).active, 0);
  EXPECT_EQ(tables.reverse_entries(), 0U);
  tables.restore_server(*service, first);
  EXPECT_EQ(send(kAck), Verdict::kPass);
  EXPECT_EQ(tables.counts(first).total, 0) << "settled once";
}

TEST_P(Removal, expire_nodest_conn_without_another_server_refuses_and_settles_once) {
  expire_nodest_conn();
  tables.remove_server(*service, second);
  tables.remove_server(*service, first);
  EXPECT_EQ(send(kSyn), door == Door::kXdp ? Verdict::kPass : Verdict::kSent)
      << "port unreachable; XDP leaves it to tc";
  EXPECT_EQ(life_of(flow().word), LIMPET_LIFE_DEAD);
  EXPECT_EQ(tables.counts(first).total, 0);
}

TEST_P(Removal, the_flush_ends_connections_of_removed_servers_only) {
  connect("10.0.0.2", 5000, 80, door);
  tables.remove_server(*service, first);
  tables.sweep(LIMPET_EXPIRE_FLOWS4, LIMPET_EXPIRE_TEMPLATES4);
  EXPECT_EQ(life_of(flow().word), LIMPET_LIFE_DEAD);
  EXPECT_EQ(tables.counts(first).total, 0);
  EXPECT_EQ(tables.counts(second).total, 1);
  EXPECT_EQ(life_of(tables.flow(flow_key("10.0.0.2", 5000, kVip, 80))->word), LIMPET_LIFE_ALIVE);
  EXPECT_EQ(tables.reverse_entries(), 1U);
}

// ip_vs_expire_nodest_conn_flush(): a template goes with its last connection, assured or not.
TEST_P(Removal, the_flush_takes_the_templates_of_removed_servers_along) {
  Service& sticky = tables.add(tcp_service(kOtherVip, 80).persistent(300));
  const auto ids = tables.add_servers(sticky, {route(kServerA), route(kServerB)});
  for (const int flags : {int{kSyn}, int{kAck}}) {
    run(door, packet().from("10.0.0.1", 5000).to(kOtherVip, 80).tcp(flags));
    run(door, packet().from("10.0.0.2", 5000).to(kOtherVip, 80).tcp(flags));
    run(door, packet().from("10.0.0.1", 5001).to(kOtherVip, 80).tcp(flags));
  }
  ASSERT_EQ(tables.counts(ids[1]).total, 2);
  ASSERT_EQ(tables.counts(ids[1]).persistent, 1);
  tables.remove_server(sticky, ids[1]);
  tables.sweep(LIMPET_EXPIRE_FLOWS4, LIMPET_EXPIRE_TEMPLATES4);
  EXPECT_EQ(tables.counts(ids[1]).total, 0);
  EXPECT_EQ(tables.counts(ids[1]).persistent, 0);
  EXPECT_EQ(tables.counts(ids[0]).total, 1);
  EXPECT_EQ(tables.counts(ids[0]).persistent, 1);
  expect_templates_hold_their_flows();
}

// One whose connections have ended: the walk over templates finds it.
TEST_P(Removal, the_flush_takes_templates_without_connections) {
  Service& sticky = tables.add(tcp_service(kOtherVip, 80).persistent(300));
  const std::uint32_t server = tables.add_server(sticky, route(kServerA));
  run(door, packet().to(kOtherVip, 80).tcp(kSyn));
  tables.let_pass(61);
  tables.sweep();
  ASSERT_EQ(tables.counts(server).persistent, 1);
  tables.sweep(LIMPET_EXPIRE_FLOWS4, LIMPET_EXPIRE_TEMPLATES4);
  ASSERT_EQ(tables.counts(server).persistent, 1) << "the server is there";
  tables.remove_server(sticky, server);
  tables.sweep(LIMPET_EXPIRE_FLOWS4, LIMPET_EXPIRE_TEMPLATES4);
  EXPECT_EQ(tables.counts(server).persistent, 0);
}

TEST_P(Removal, expire_nodest_conn_schedules_datagrams_anew) {
  expire_nodest_conn();
  Service& dns = tables.add(udp_service(kVip, 53));
  const auto ids = tables.add_servers(dns, {route(kServerA), route(kServerB)});
  const Packet query = packet().to(kVip, 53).udp();
  const auto key = flow_key("10.0.0.1", 40000, kVip, 53, 17);
  run(door, query);
  tables.remove_server(dns, tables.flow(key)->destination);
  EXPECT_EQ(run(door, query).verdict, Verdict::kSent);
  EXPECT_EQ(tables.flow(key)->destination, ids[0]);
}

TEST_P(Removal, packets_and_bytes_are_counted_for_the_server) {
  send(kAck);
  run(door, packet().from("10.0.0.1", 5000).tcp(kAck | kPsh).payload(100));
  run(Door::kTc, packet().from(kServerB, 80).to("10.0.0.1", 5000).tcp(kAck).payload(1000));
  const limpet_counters counters = tables.counters(first);
  EXPECT_EQ(counters.connections, 1U);
  EXPECT_EQ(counters.in_packets, 3U);
  EXPECT_EQ(counters.in_bytes, 40U + 40U + 140U);
  EXPECT_EQ(counters.out_packets, 1U);
  EXPECT_EQ(counters.out_bytes, 1040U);
  EXPECT_EQ(tables.counters(second).in_packets, 0U);
}

TEST_P(Removal, a_removed_servers_replies_still_reach_the_client_but_do_not_count) {
  tables.remove_server(*service, first);
  const Packet reply = packet().from(kServerB, 80).to("10.0.0.1", 5000).tcp(kAck);
  EXPECT_EQ(run(Door::kTc, reply).verdict, Verdict::kSent);
  EXPECT_EQ(tables.counters(first).out_packets, 0U);
}

}  // namespace
}  // namespace limpet::packet
