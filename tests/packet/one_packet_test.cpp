// SPDX-License-Identifier: Apache-2.0
// One-packet scheduling: every datagram is a connection, and none is remembered. Sequences of a real kernel:
// recorded_steps_test.cpp.
#include <algorithm>

#include "fixture.h"

namespace limpet::packet {
namespace {

class OnePacket : public AtDoor {
 protected:
  [[nodiscard]] std::uint32_t mark() const { return door == Door::kMark ? 10 : 0; }
  Service& serve(std::uint32_t timeout = 0) {
    ServiceSpec spec = door == Door::kMark ? mark_service(10) : udp_service(kVip, 53);
    spec.timeout = timeout;
    return tables.add(spec.of_one_packet());
  }
  Outcome ask(const std::string& client = "10.0.0.1") {
    return run(door, packet().from(client, 1000).to(kVip, 53).udp(), mark());
  }
  std::uint64_t connections(std::uint32_t server) { return tables.counters(server).connections; }
};

INSTANTIATE_TEST_SUITE_P(At, OnePacket, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(OnePacket, every_datagram_is_scheduled_and_counted_and_leaves_no_entry) {
  Service& service = serve();
  const auto ids = tables.add_servers(service, {route(kServerA), route(kServerB)});
  for (int i = 0; i < 6; i++)
    EXPECT_EQ(ask().view().destination_mac(), i % 2 == 0 ? kServerBMac : kServerAMac) << "datagram " << i;
  for (const std::uint32_t id : ids) {
    EXPECT_EQ(connections(id), 3U);
    EXPECT_EQ(tables.counters(id).in_packets, 3U);
    EXPECT_EQ(tables.counts(id).total, 0);
  }
  EXPECT_TRUE(tables.flows().empty());
}

TEST_P(OnePacket, a_masqueraded_server_is_addressed_but_its_reply_is_not_known) {
  Service& service = serve();
  tables.add_server(service, masq(kServerA, 5353));
  EXPECT_EQ(ask().view().destination(), kServerA);
  EXPECT_EQ(tables.reverse_entries(), 0U);
  if (door == Door::kMark) return;  // replies do not come there
  EXPECT_EQ(run(door, packet().from(kServerA, 5353).to("10.0.0.1", 1000).udp()).verdict, Verdict::kPass);
}

TEST_P(OnePacket, a_template_is_used_and_let_go_again) {
  Service& service = serve(300);
  tables.add_servers(service, {route(kServerA), route(kServerB)});
  for (int i = 0; i < 3; i++) EXPECT_EQ(ask("10.0.0.1").view().destination_mac(), kServerBMac);
  for (int i = 0; i < 3; i++) EXPECT_EQ(ask("10.0.0.2").view().destination_mac(), kServerAMac);
  const auto templates = tables.templates();
  ASSERT_EQ(templates.size(), 2U);
  for (const auto& [key, entry] : templates) EXPECT_EQ(controlled(entry), 0U);
  tables.let_pass(200);
  ask("10.0.0.1");
  tables.let_pass(200);
  EXPECT_EQ(ask("10.0.0.1").view().destination_mac(), kServerBMac) << "each datagram begins its time anew";
}

TEST_P(OnePacket, a_full_table_of_connections_does_not_matter) {
  Service& service = serve();
  const auto ids = tables.add_servers(service, {route(kServerA), route(kServerB)});
  const std::uint32_t zero = 0;
  const std::uint64_t when = ticks_now();
  plane.map("flows_full").update(&zero, &when);
  for (int i = 0; i < 4; i++) ask();
  for (const std::uint32_t id : ids) EXPECT_EQ(connections(id), 2U);
}

TEST_P(OnePacket, a_datagram_of_a_connection_from_before_goes_where_it_went) {
  ServiceSpec spec = door == Door::kMark ? mark_service(10) : udp_service(kVip, 53);
  Service& service = tables.add(spec);
  tables.add_servers(service, {route(kServerA), route(kServerB)});
  const Mac before = ask().view().destination_mac();
  service.spec.one_packet = true;
  tables.store(service);
  for (int i = 0; i < 3; i++) EXPECT_EQ(ask().view().destination_mac(), before);
  tables.let_pass(301);
  const Mac after = ask().view().destination_mac();
  EXPECT_NE(ask().view().destination_mac(), after) << "ended: one by one from here";
}

TEST_F(PacketTest, what_is_not_UDP_of_a_mark_service_opens_connections) {
  Service& service = tables.add(mark_service(10).of_one_packet());
  const std::uint32_t server = tables.add_server(service, route(kServerA));
  EXPECT_EQ(connect("10.0.0.1", 1000, 80, Door::kMark, 10), server);
  EXPECT_EQ(tables.counts(server).total, 1);
}

// A datagram makes the number of connections what it is with it, and that may be the upper threshold.
TEST_P(OnePacket, a_datagram_may_overload_a_server_that_has_other_connections) {
  Service& service = serve();
  const std::uint32_t server = tables.add_server(service, route(kServerA).thresholds(3, 1));
  tables.set_counts(server, {0, 1, 0, 0, {}});
  EXPECT_EQ(ask().view().destination_mac(), kServerAMac) << "two of three, and one again";
  tables.set_counts(server, {0, 2, 0, 0, {}});
  EXPECT_EQ(ask().view().destination_mac(), kServerAMac) << "three of three, and two again, which are not below 1";
  EXPECT_EQ(tables.counts(server).overloaded, 1U);
  EXPECT_NE(ask().view().destination_mac(), kServerAMac);
}

}  // namespace
}  // namespace limpet::packet
