// SPDX-License-Identifier: Apache-2.0
// A client that uses its port again: conn_reuse_mode, expire_nodest_conn, and entries that have ended.
#include "fixture.h"

namespace limpet::packet {
namespace {

class Reuse : public AtDoor {
 protected:
  // One flow at the server added last; the next new one would go to the other.
  void open(const ServiceSpec& spec, limpet_method method = LIMPET_ROUTE) {
    Service& service = tables.add(spec);
    const auto ids = tables.add_servers(service, {{kServerA, 80, method}, {kServerB, 80, method}});
    second = ids[0];
    first = ids[1];
    ASSERT_EQ(connect("10.0.0.1", 5000, 80, door), first);
  }
  void enter(std::uint64_t state, std::uint64_t life = LIMPET_LIFE_ALIVE) {
    limpet_flow flow = tables.flow(key).value();
    const bool was_active = tables.counts(first).active == 1;
    flow.word = (flow.word & ~(LIMPET_FLOW_STATE_MASK << LIMPET_FLOW_STATE_SHIFT | LIMPET_LIFE_MASK)) |
                state << LIMPET_FLOW_STATE_SHIFT | life;
    tables.put(key, flow);
    const bool active = state >= LIMPET_TCP_ESTABLISHED && state <= LIMPET_TCP_SYN_RECV;
    limpet_counts counts = tables.counts(first);
    counts.active += (active ? 1 : 0) - (was_active ? 1 : 0);
    tables.set_counts(first, counts);
  }
  // What the XDP door passes on, tc judges.
  std::uint32_t syn() {
    const Verdict verdict = run(door, packet().from("10.0.0.1", 5000).tcp(kSyn)).verdict;
    if (door == Door::kXdp && verdict == Verdict::kPass) return connect("10.0.0.1", 5000);
    const auto flow = tables.flow(key);
    return flow && life_of(flow->word) == LIMPET_LIFE_ALIVE ? flow->destination : 0;
  }
  void set_reuse_mode(std::uint32_t mode) {
    tables.config().conn_reuse_mode = mode;
    tables.store_config();
  }

  const limpet_flow4_key key = flow_key("10.0.0.1", 5000, kVip, 80);
  std::uint32_t first = 0, second = 0;
};
INSTANTIATE_TEST_SUITE_P(At, Reuse, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(Reuse, a_SYN_in_TIME_WAIT_or_CLOSE_is_scheduled_anew) {
  for (const limpet_tcp_state state : {LIMPET_TCP_TIME_WAIT, LIMPET_TCP_CLOSE}) {
    tables.reset();
    open(tcp_service(kVip, 80), LIMPET_MASQ);
    enter(state);
    EXPECT_EQ(syn(), second);
    EXPECT_EQ(tables.counts(first).total, 0);
    EXPECT_EQ(tables.counts(second).total, 1);
    EXPECT_EQ(tables.counts(second).active, 1);
    EXPECT_EQ(tables.flows().size(), 1U);
    EXPECT_EQ(tables.reverse_entries(), 1U) << "the old server's is gone";
    EXPECT_EQ(state_of(*tables.flow(key)), LIMPET_TCP_SYN_RECV);
  }
}

// Recorded with Linux 6.1, as the next one: the old connection is counted until the new one has its server.
TEST_P(Reuse, the_old_connection_counts_while_the_new_ones_server_is_chosen) {
  for (const limpet_scheduler scheduler : {LIMPET_LC, LIMPET_WLC}) {
    for (const limpet_method method : {LIMPET_ROUTE, LIMPET_MASQ}) {
      tables.reset();
      open(tcp_service(kVip, 80).scheduled(scheduler), method);
      enter(LIMPET_TCP_CLOSE);
      EXPECT_EQ(syn(), second) << "though without it the first would be as good";
      EXPECT_EQ(tables.counts(first).total, 0);
      EXPECT_EQ(tables.counts(second).total, 1);
      EXPECT_EQ(tables.reverse_entries(), method == LIMPET_MASQ ? 1U : 0U);
    }
  }
}

TEST_P(Reuse, a_full_server_refuses_the_port_that_it_is_full_of_once) {
  Service& service = tables.add(tcp_service(kVip, 80));
  first = tables.add_server(service, masq(kServerA).thresholds(1));
  ASSERT_EQ(syn(), first);
  enter(LIMPET_TCP_CLOSE);
  EXPECT_EQ(syn(), 0U);
  EXPECT_EQ(tables.counts(first).total, 0);
  EXPECT_EQ(tables.reverse_entries(), 0U);
  EXPECT_EQ(syn(), first);
  EXPECT_EQ(tables.counts(first).total, 1);
}

TEST_P(Reuse, the_same_server_again_keeps_its_way_back) {
  Service& service = tables.add(tcp_service(kVip, 80));
  first = tables.add_server(service, masq(kServerA).thresholds(2));
  ASSERT_EQ(syn(), first);
  enter(LIMPET_TCP_CLOSE);
  EXPECT_EQ(syn(), first);
  EXPECT_EQ(tables.counts(first).total, 1);
  EXPECT_EQ(tables.counts(first).overloaded, 0U) << "it was for a moment";
  EXPECT_EQ(tables.reverse_entries(), 1U);
}

// The tc door decides, and by the same counts.
TEST_P(Reuse, a_SYN_that_the_XDP_door_leaves_to_tc_finds_the_old_connection_as_it_was) {
  if (door != Door::kXdp) return;
  Service& service = tables.add(tcp_service(kVip, 80).scheduled(LIMPET_LC));
  second = tables.add_server(service, masq(kSilentServer));
  first = tables.add_server(service, masq(kServerB));
  ASSERT_EQ(syn(), first);
  enter(LIMPET_TCP_CLOSE);
  const std::uint64_t word = tables.flow(key)->word;
  EXPECT_EQ(run(door, packet().from("10.0.0.1", 5000).tcp(kSyn)).verdict, Verdict::kPass);
  EXPECT_EQ(tables.flow(key)->word, word);
  EXPECT_EQ(tables.flow(key)->destination, first);
  EXPECT_EQ(tables.counts(first).total, 1);
  EXPECT_EQ(tables.reverse_entries(), 1U);
  EXPECT_EQ(connect("10.0.0.1", 5000, 80, Door::kTc), second);
  EXPECT_EQ(tables.counts(first).total, 0);
  EXPECT_EQ(tables.reverse_entries(), 1U);
}

TEST_P(Reuse, the_old_connection_ends_though_its_service_has_gone) {
  Service& service = tables.add(tcp_service(kVip, 80));
  first = tables.add_server(service, masq(kServerA));
  ASSERT_EQ(syn(), first);
  enter(LIMPET_TCP_TIME_WAIT);
  tables.remove_server(service, first);
  tables.remove(service);
  EXPECT_EQ(syn(), 0U);
  EXPECT_EQ(tables.counts(first).total, 0);
  EXPECT_EQ(tables.reverse_entries(), 0U);
  const Bytes ack = packet().from("10.0.0.1", 5000).tcp(kAck).bytes();
  EXPECT_EQ(run(Door::kTc, ack).verdict, Verdict::kPass) << "its next packets are the host's, which has answered it";
}

TEST_P(Reuse, the_old_connection_ends_once_when_drop_packet_takes_the_new_one) {
  Service& service = tables.add(tcp_service(kVip, 80));
  first = tables.add_server(service, masq(kServerA));
  ASSERT_EQ(syn(), first);
  enter(LIMPET_TCP_TIME_WAIT);
  tables.config().drop_rate = 1;
  tables.config().drop_until = ~0ULL;
  tables.store_config();
  for (int i = 0; i < 2; i++) {
    EXPECT_EQ(run(door, packet().from("10.0.0.1", 5000).tcp(kSyn)).verdict, Verdict::kDrop);
    EXPECT_EQ(tables.counts(first).total, 0);
    EXPECT_EQ(tables.reverse_entries(), 0U);
    EXPECT_EQ(life_of(tables.flow(key)->word), LIMPET_LIFE_DEAD);
  }
}

// The XDP door finds its template's server in need of the kernel, when the old connection holds the template as well.
TEST_P(Reuse, a_template_is_held_once_whoever_decides) {
  Service& service = tables.add(tcp_service(kVip, 80).persistent(300));
  first = tables.add_server(service, masq(kSilentServer));
  ASSERT_EQ(connect("10.0.0.1", 5000, 80, door == Door::kXdp ? Door::kTc : door), first);
  tables.weigh(service, first, 0);
  tables.config().expire_nodest_conn = 1;
  tables.store_config();
  const std::uint64_t word = tables.flow(key)->word;
  const Bytes again = packet().from("10.0.0.1", 5000).tcp(kSyn).bytes();
  const Verdict verdict = run(door, again).verdict;
  if (door == Door::kXdp) {
    EXPECT_EQ(verdict, Verdict::kPass);
    EXPECT_EQ(tables.flow(key)->word, word);
    EXPECT_EQ(run(Door::kTc, again).verdict, Verdict::kSent);
  } else if (door == Door::kMark) {
    EXPECT_EQ(verdict, Verdict::kCross);
    EXPECT_EQ(run(Door::kReturn, again).verdict, Verdict::kSent) << "decided at the mark door, and not once more";
  } else {
    EXPECT_EQ(verdict, Verdict::kSent);
  }
  EXPECT_EQ(tables.counts(first).total, 1);
  EXPECT_EQ(tables.reverse_entries(), 1U);
  EXPECT_EQ(controlled(tables.templates().at(0).second), 1U);
}

TEST_P(Reuse, a_SYN_in_another_state_stays_with_its_server) {
  open(tcp_service(kVip, 80));
  for (const limpet_tcp_state state :
       {LIMPET_TCP_ESTABLISHED, LIMPET_TCP_SYN_RECV, LIMPET_TCP_FIN_WAIT, LIMPET_TCP_CLOSE_WAIT, LIMPET_TCP_LAST_ACK}) {
    enter(state);
    EXPECT_EQ(syn(), first) << state;
  }
  EXPECT_EQ(tables.counts(first).total, 1);
}

TEST_P(Reuse, only_a_SYN_reuses) {
  open(tcp_service(kVip, 80));
  enter(LIMPET_TCP_TIME_WAIT);
  EXPECT_EQ(run(door, packet().from("10.0.0.1", 5000).tcp(kAck)).verdict, Verdict::kSent);
  EXPECT_EQ(tables.flow(key)->destination, first);
}

TEST_P(Reuse, mode_0_never_reschedules) {
  open(tcp_service(kVip, 80));
  set_reuse_mode(0);
  enter(LIMPET_TCP_TIME_WAIT);
  EXPECT_EQ(syn(), first);
}

TEST_P(Reuse, mode_2_reschedules_FIN_WAIT_where_no_reply_is_seen) {
  open(tcp_service(kVip, 80));
  set_reuse_mode(2);
  enter(LIMPET_TCP_FIN_WAIT);
  EXPECT_EQ(syn(), second);
}

TEST_P(Reuse, mode_2_keeps_FIN_WAIT_where_replies_are_seen) {
  open(tcp_service(kVip, 80), LIMPET_MASQ);
  set_reuse_mode(2);
  enter(LIMPET_TCP_FIN_WAIT);
  EXPECT_EQ(syn(), first);
}

TEST_P(Reuse, a_persistent_clients_flow_is_never_rescheduled) {
  open(tcp_service(kVip, 80).persistent(300));
  enter(LIMPET_TCP_TIME_WAIT);
  const std::uint32_t serial = tables.flow(key)->template_serial;
  EXPECT_EQ(syn(), first);
  EXPECT_EQ(tables.flow(key)->template_serial, serial);
  EXPECT_EQ(tables.counters(first).connections, 1U);
}

TEST_P(Reuse, a_drained_servers_flow_is_rescheduled_only_with_expire_nodest_conn) {
  Service& service = tables.add(tcp_service(kVip, 80));
  const auto ids = tables.add_servers(service, {route(kServerA), route(kServerB)});
  ASSERT_EQ(syn(), ids[1]);
  tables.weigh(service, ids[1], 0);
  EXPECT_EQ(syn(), ids[1]);
  tables.config().expire_nodest_conn = 1;
  tables.store_config();
  EXPECT_EQ(syn(), ids[0]);
  EXPECT_EQ(tables.counts(ids[1]).total, 0);
  EXPECT_EQ(tables.counts(ids[1]).active, 0);
}

// Recorded with Linux 6.1: the connection begins anew, and its template leads it back to the server.
TEST_P(Reuse, a_drained_servers_persistent_flow_begins_anew_with_expire_nodest_conn_and_stays) {
  Service& service = tables.add(tcp_service(kVip, 80).persistent(300));
  const auto ids = tables.add_servers(service, {route(kServerA), route(kServerB)});
  first = ids[1];
  ASSERT_EQ(syn(), first);
  enter(LIMPET_TCP_ESTABLISHED);
  tables.weigh(service, ids[1], 0);
  tables.config().expire_nodest_conn = 1;
  tables.store_config();
  EXPECT_EQ(syn(), ids[1]);
  EXPECT_EQ(state_of(*tables.flow(key)), LIMPET_TCP_SYN_RECV);
  EXPECT_EQ(tables.counters(ids[1]).connections, 2U);
  EXPECT_EQ(tables.counts(ids[1]).total, 1);
  EXPECT_EQ(tables.counts(ids[1]).persistent, 1);
  expect_templates_hold_their_flows();
}

TEST_P(Reuse, a_drained_servers_flow_ends_with_expire_nodest_conn_though_there_is_no_other_server) {
  Service& service = tables.add(tcp_service(kVip, 80));
  const std::uint32_t server = tables.add_server(service, masq(kServerA));
  ASSERT_EQ(syn(), server);
  tables.weigh(service, server, 0);
  tables.config().expire_nodest_conn = 1;
  tables.store_config();
  EXPECT_EQ(run(door, packet().from("10.0.0.1", 5000).tcp(kAck)).verdict, Verdict::kSent) << "only a SYN asks anew";
  EXPECT_EQ(syn(), 0U);
  EXPECT_EQ(tables.counts(server).total, 0);
  EXPECT_EQ(tables.counts(server).active, 0);
  EXPECT_EQ(tables.reverse_entries(), 0U);
}

TEST_P(Reuse, an_expired_entry_is_opened_anew_in_place) {
  open(tcp_service(kVip, 80), LIMPET_MASQ);
  tables.let_pass(100);
  EXPECT_EQ(syn(), second);
  EXPECT_EQ(tables.counts(first).total, 0);
  EXPECT_EQ(tables.counts(first).active, 0);
  EXPECT_EQ(tables.counts(second).total, 1);
  EXPECT_EQ(tables.counts(second).active, 1);
  EXPECT_EQ(tables.reverse_entries(), 1U);
  EXPECT_EQ(tables.counters(second).connections, 1U);
}

TEST_P(Reuse, an_expired_entry_is_nothing_to_a_segment_that_opens_none) {
  open(tcp_service(kVip, 80));
  tables.let_pass(100);
  const auto before = tables.flow(key)->word;
  EXPECT_EQ(run(door, packet().from("10.0.0.1", 5000).tcp(kAck)).verdict, Verdict::kPass);
  EXPECT_EQ(tables.flow(key)->word, before);
  EXPECT_EQ(tables.counts(first).total, 1) << "the sweeper's to settle";
}

TEST_P(Reuse, a_dead_entry_is_revived) {
  open(tcp_service(kVip, 80));
  tables.let_pass(100);
  tables.sweep();
  ASSERT_EQ(life_of(tables.flow(key)->word), LIMPET_LIFE_DEAD);
  ASSERT_EQ(tables.counts(first).total, 0);
  EXPECT_EQ(syn(), second);
  EXPECT_EQ(tables.counts(first).total, 0);
  EXPECT_EQ(tables.counts(second).total, 1);
}

TEST_P(Reuse, an_entry_somebody_is_at_this_moment_costs_one_packet) {
  open(tcp_service(kVip, 80));
  for (const std::uint64_t life : {LIMPET_LIFE_BUSY, LIMPET_LIFE_DELETING}) {
    enter(LIMPET_TCP_SYN_RECV, life);
    const auto before = tables.flow(key)->word;
    EXPECT_EQ(run(door, packet().from("10.0.0.1", 5000).tcp(kSyn)).verdict, Verdict::kDrop);
    EXPECT_EQ(tables.flow(key)->word, before);
  }
}

TEST_P(Reuse, an_expired_entry_without_any_server_left_is_settled_once) {
  Service& service = tables.add(tcp_service(kVip, 80));
  const std::uint32_t server = tables.add_server(service, masq(kServerA));
  ASSERT_EQ(syn(), server);
  tables.let_pass(100);
  tables.weigh(service, server, 0);
  EXPECT_EQ(syn(), 0U);
  tables.sweep();
  tables.let_pass(100);
  tables.sweep();
  EXPECT_EQ(tables.counts(server).total, 0);
  EXPECT_EQ(tables.counts(server).active, 0);
  EXPECT_TRUE(tables.flows().empty());
  EXPECT_EQ(tables.reverse_entries(), 0U);
}

}  // namespace
}  // namespace limpet::packet
