// SPDX-License-Identifier: Apache-2.0
// The defences: drop_packet, drop_entry and what it counts. (secure_tcp: tcp_state_test.cpp.)
#include "fixture.h"

namespace limpet::packet {
namespace {

class Defences : public AtDoor {
 protected:
  void SetUp() override {
    AtDoor::SetUp();
    service = &tables.add(tcp_service(kVip, 80));
    server = tables.add_server(*service, masq(kServerA));
  }
  void drop_one_of(std::int32_t rate, std::uint64_t until = ~0ULL) {
    tables.config().drop_rate = static_cast<std::uint32_t>(rate);
    tables.config().drop_until = until;
    tables.store_config();
  }
  std::int64_t counter() { return *plane.map("drop_counter").get<std::uint32_t, std::int64_t>(0); }
  Verdict send(std::uint16_t port, int flags = kSyn, const std::string& to = kVip, std::uint16_t to_port = 80) {
    return run(door, packet().from("10.0.0.1", port).to(to, to_port).tcp(flags)).verdict;
  }
  // "D" dropped, "S" sent, "P" passed.
  std::string verdicts(int packets) {
    std::string all;
    for (int i = 0; i < packets; i++) {
      const Verdict verdict = send(static_cast<std::uint16_t>(1001 + i));
      all += verdict == Verdict::kDrop ? 'D' : verdict == Verdict::kSent ? 'S' : 'P';
    }
    return all;
  }

  Service* service = nullptr;
  std::uint32_t server = 0;
};
INSTANTIATE_TEST_SUITE_P(At, Defences, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

// As recorded with Linux 6.1: the first, and then every third.
TEST_P(Defences, drop_packet_drops_one_of_so_many_new_connections_packets) {
  drop_one_of(3);
  EXPECT_EQ(verdicts(9), "DSSDSSDSS");
  EXPECT_EQ(tables.flows().size(), 6U);
  EXPECT_EQ(tables.counts(server).total, 6);
}

TEST_P(Defences, drop_packet_drops_all_of_them_at_a_rate_of_one_or_less) {
  for (const std::int32_t rate : {1, -1}) {
    drop_one_of(rate);
    EXPECT_EQ(verdicts(3), "DDD");
  }
  drop_one_of(0);
  EXPECT_EQ(verdicts(3), "SSS");
}

TEST_P(Defences, drop_packet_leaves_connections_alone_and_does_not_count_their_packets) {
  EXPECT_EQ(send(1001), Verdict::kSent);
  drop_one_of(2);
  EXPECT_EQ(send(1002), Verdict::kDrop);
  for (int i = 0; i < 4; i++) EXPECT_EQ(send(1001, kAck), Verdict::kSent);
  EXPECT_EQ(send(1003), Verdict::kSent);
  EXPECT_EQ(send(1004), Verdict::kDrop);
}

TEST_P(Defences, drop_packet_counts_only_what_would_open_a_connection) {
  tables.add_address(ip(kOtherVip));
  drop_one_of(2);
  EXPECT_EQ(send(1001), Verdict::kDrop);
  EXPECT_EQ(send(1002, kAck), Verdict::kPass);
  EXPECT_EQ(send(1002, kSyn, kVip, 81), Verdict::kPass);
  EXPECT_EQ(send(20), Verdict::kPass);
  EXPECT_EQ(send(1002, kSyn, "192.168.2.99"), Verdict::kPass);
  EXPECT_EQ(counter(), 2);
  EXPECT_EQ(send(1003), Verdict::kSent);
  EXPECT_EQ(send(1004), Verdict::kDrop);
}

TEST_P(Defences, drop_packet_ends_by_itself) {
  drop_one_of(1, ticks_now());
  EXPECT_EQ(verdicts(2), "SS");
}

TEST_P(Defences, an_ended_connections_packet_that_is_dropped_settles_it_once) {
  ASSERT_EQ(send(1001), Verdict::kSent);
  tables.let_pass(100);
  drop_one_of(1);
  EXPECT_EQ(send(1001), Verdict::kDrop);
  EXPECT_EQ(tables.counts(server).total, 0);
  EXPECT_EQ(send(1001), Verdict::kDrop);
  EXPECT_EQ(tables.counts(server).total, 0);
  EXPECT_EQ(tables.counts(server).active, 0);
  drop_one_of(0);
  EXPECT_EQ(send(1001), Verdict::kSent);
  EXPECT_EQ(tables.counts(server).total, 1);
}

class DropPacket : public PacketTest {};

// What XDP passes on is not counted there: tc counts it.
TEST_F(DropPacket, counts_a_packet_that_two_doors_see_once) {
  Service& service = tables.add(tcp_service(kVip, 80));
  tables.add_server(service, route(kSilentServer));
  tables.config().drop_rate = 3;
  tables.config().drop_until = ~0ULL;
  tables.store_config();
  std::string all;
  for (std::uint16_t port = 1001; port < 1010; port++) {
    const Packet syn = packet().from("10.0.0.1", port).tcp(kSyn);
    Verdict verdict = run(Door::kXdp, syn).verdict;
    if (verdict == Verdict::kPass) verdict = run(Door::kTc, syn).verdict;
    all += verdict == Verdict::kDrop ? 'D' : 'S';
  }
  EXPECT_EQ(all, "DSSDSSDSS");
}

TEST_F(DropPacket, counts_a_packet_that_finds_no_server_once) {
  tables.add(tcp_service(kVip, 80));
  tables.config().drop_rate = 3;
  tables.config().drop_until = ~0ULL;
  tables.store_config();
  std::string all;
  for (std::uint16_t port = 1001; port < 1010; port++) {
    const Packet syn = packet().from("10.0.0.1", port).tcp(kSyn);
    const Verdict first = run(Door::kXdp, syn).verdict;
    all += first == Verdict::kDrop || run(Door::kTc, syn).verdict == Verdict::kDrop ? 'D' : 'S';
  }
  EXPECT_EQ(all, "DSSDSSDSS");
}

class DropEntry : public AtDoor {
 protected:
  void SetUp() override {
    AtDoor::SetUp();
    tables.config().flags |= LIMPET_COUNT_PACKETS;
    tables.store_config();
    server = tables.add_server(tables.add(tcp_service(kVip, 80)), masq(kServerA));
  }
  void send(int flags, std::uint16_t to_port = 80, const std::string& client = "10.0.0.1") {
    run(door, packet().from(client, 5000).to(kVip, to_port).tcp(flags));
  }
  void reply(int flags) { run(Door::kTc, packet().from(kServerA, 80).to("10.0.0.1", 5000).tcp(flags)); }
  std::uint64_t word() { return tables.flow(key)->word; }
  std::uint64_t packets() { return word() >> LIMPET_FLOW_PACKETS_SHIFT & LIMPET_FLOW_PACKETS_MASK; }
  // Everything is offered to be dropped.
  void drop() { tables.sweep(LIMPET_DROP_FLOWS4, LIMPET_DROP_TEMPLATES4); }
  bool is_alive() { return life_of(word()) == LIMPET_LIFE_ALIVE; }

  const limpet_flow4_key key = flow_key("10.0.0.1", 5000, kVip, 80);
  std::uint32_t server = 0;
};
INSTANTIATE_TEST_SUITE_P(At, DropEntry, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(DropEntry, the_clients_packets_are_counted_up_to_nine) {
  send(kSyn);
  EXPECT_EQ(packets(), 1U);
  for (std::uint64_t sent = 2; sent < 9; sent++) {
    send(kAck);
    reply(kAck);
    EXPECT_EQ(packets(), sent);
  }
  for (int i = 0; i < 20; i++) send(kAck);
  EXPECT_EQ(packets(), 9U);
  const std::uint64_t last = word();
  send(kAck);
  EXPECT_EQ(word(), last) << "an established connection's packet writes nothing";
}

TEST_P(DropEntry, a_connection_opened_before_is_not_counted) {
  tables.config().flags = 0;
  tables.store_config();
  send(kSyn);
  send(kAck);
  tables.config().flags = LIMPET_COUNT_PACKETS;
  tables.store_config();
  for (int i = 0; i < 3; i++) send(kAck);
  EXPECT_EQ(packets(), 0U);
  tables.let_pass(100);
  drop();
  EXPECT_TRUE(is_alive());
}

TEST_P(DropEntry, takes_half_open_connections_at_once) {
  send(kSyn);
  drop();
  EXPECT_FALSE(is_alive());
  EXPECT_EQ(tables.counts(server).total, 0);
  EXPECT_EQ(tables.counts(server).active, 0);
  EXPECT_EQ(tables.reverse_entries(), 0U);
  drop();
  tables.sweep();
  EXPECT_EQ(tables.counts(server).total, 0) << "settled once";
  send(kSyn);
  EXPECT_TRUE(is_alive());
  EXPECT_EQ(packets(), 1U) << "a new one";
}

TEST_P(DropEntry, takes_established_ones_after_60_idle_seconds_if_they_had_few_packets) {
  send(kSyn);
  send(kAck);
  tables.let_pass(59);
  drop();
  EXPECT_TRUE(is_alive());
  tables.let_pass(2);
  drop();
  EXPECT_FALSE(is_alive());
  EXPECT_EQ(tables.counts(server).active, 0);
}

TEST_P(DropEntry, spares_established_ones_of_nine_packets) {
  send(kSyn);
  for (int i = 0; i < 8; i++) send(kAck);
  tables.let_pass(500);
  drop();
  EXPECT_TRUE(is_alive());
}

TEST_P(DropEntry, spares_connections_that_are_closing) {
  send(kSyn);
  send(kAck);
  send(kFin | kAck);
  tables.let_pass(100);
  drop();
  EXPECT_TRUE(is_alive());
}

TEST_P(DropEntry, takes_datagrams_flows_after_60_idle_seconds) {
  tables.add_server(tables.add(udp_service(kVip, 53)), masq(kServerB));
  const auto dns = flow_key("10.0.0.1", 5000, kVip, 53, 17);
  run(door, packet().from("10.0.0.1", 5000).to(kVip, 53).udp());
  drop();
  EXPECT_EQ(life_of(tables.flow(dns)->word), LIMPET_LIFE_ALIVE);
  tables.let_pass(61);
  drop();
  EXPECT_EQ(life_of(tables.flow(dns)->word), LIMPET_LIFE_DEAD);
}

// ip_vs_conn_expire(): with the last of its connections, unless one was established.
TEST_P(DropEntry, takes_the_template_along_unless_it_is_assured) {
  for (const bool assured : {false, true}) {
    tables.reset();
    tables.config().flags |= LIMPET_COUNT_PACKETS;
    tables.store_config();
    server = tables.add_server(tables.add(tcp_service(kVip, 80).persistent(3000)), route(kServerA));
    send(kSyn);
    if (assured) send(kAck);
    if (assured) tables.let_pass(61);
    drop();
    EXPECT_FALSE(is_alive());
    EXPECT_EQ(tables.counts(server).persistent, assured ? 1 : 0);
    drop();
    EXPECT_EQ(tables.counts(server).persistent, assured ? 1 : 0);
    EXPECT_EQ(tables.counts(server).total, 0);
    expect_templates_hold_their_flows();
  }
}

TEST_P(DropEntry, takes_templates_without_connections_that_were_never_established) {
  server = tables.add_server(tables.add(tcp_service(kVip, 443).persistent(3000)), route(kServerA));
  send(kSyn, 443);
  send(kSyn, 443, "10.0.0.2");
  send(kAck, 443, "10.0.0.2");
  ASSERT_EQ(tables.counts(server).persistent, 2);
  tables.let_pass(61);  // the half-open one
  tables.sweep();
  ASSERT_EQ(tables.counts(server).persistent, 2);
  tables.sweep(LIMPET_SWEEP_FLOWS4, LIMPET_DROP_TEMPLATES4);
  EXPECT_EQ(tables.counts(server).persistent, 1);
}

// ip_vs_random_dropentry(): of one-packet scheduling a template stands for the client's connection.
TEST_P(DropEntry, spares_the_templates_of_busy_one_packet_clients) {
  server = tables.add_server(tables.add(udp_service(kVip, 53).persistent(3000).of_one_packet()), route(kServerA));
  const auto ask = [&] { run(door, packet().from("10.0.0.1", 5000).to(kVip, 53).udp()); };
  for (int i = 0; i < 3; i++) {
    ask();
    tables.let_pass(59);
    drop();
    ASSERT_EQ(tables.counts(server).persistent, 1) << i;
  }
  tables.let_pass(2);
  drop();
  EXPECT_EQ(tables.counts(server).persistent, 0);
}

TEST_P(DropEntry, keys_of_what_has_gone_or_was_never_there_do_no_harm) {
  for (const auto table : {LIMPET_DROP_FLOWS4, LIMPET_DROP_TEMPLATES4, LIMPET_EXPIRE_FLOWS4, LIMPET_EXPIRE_TEMPLATES4})
    plane.sweep(table, std::vector<Bytes>(100, Bytes(16, 7)));
  plane.sweep(static_cast<limpet_sweep_table>(77), std::vector<Bytes>(3, Bytes(16, 7)));
  EXPECT_TRUE(tables.flows().empty());
}

}  // namespace
}  // namespace limpet::packet
