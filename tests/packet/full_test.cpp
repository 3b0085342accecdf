// SPDX-License-Identifier: Apache-2.0
// Tables without room: what has an entry is unaffected, what gets none is still forwarded, always to the same server.
#include <set>

#include "fixture.h"

namespace limpet::packet {
namespace {

constexpr std::uint32_t kFlows = 16;
constexpr std::uint32_t kReverse = 8;
constexpr std::uint32_t kTemplates = 4;

Plane& small_plane() {
  static Plane plane({.flows = kFlows, .reverse = kReverse, .templates = kTemplates});
  return plane;
}

class Full : public testing::TestWithParam<Door> {
 protected:
  void SetUp() override { tables.reset(); }
  Outcome run(const Packet& packet, Door at) {
    tables.freshen_hops();
    return plane.run(at, packet.bytes());
  }
  Outcome run(const Packet& packet) { return run(packet, GetParam()); }
  static Packet client(unsigned number, int flags = kSyn) {
    return packet().from("10.0.1." + std::to_string(number), 5000).tcp(flags);
  }
  void fill_flows() {
    for (unsigned i = 1; i <= kFlows; i++) run(client(i));
  }

  Plane& plane = small_plane();
  Tables tables{plane};
};
INSTANTIATE_TEST_SUITE_P(At, Full, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

const std::vector<ServerSpec> kThreeRouted = {route(kServerA), route(kServerB), route(kServerC)};

TEST_P(Full, a_flow_without_an_entry_reaches_one_server_with_all_its_packets) {
  const auto ids = tables.add_servers(tables.add(tcp_service(kVip, 80)), kThreeRouted);
  fill_flows();
  ASSERT_EQ(tables.flows().size(), kFlows);
  std::set<Mac> used;
  for (unsigned i = 100; i < 130; i++) {
    const Outcome first = run(client(i));
    ASSERT_EQ(first.verdict, Verdict::kSent);
    used.insert(first.view().destination_mac());
    for (const int flags : {+kSyn, +kAck, kAck | kPsh, kFin | kAck, +kRst}) {
      const Outcome later = run(client(i, flags));
      ASSERT_EQ(later.verdict, Verdict::kSent);
      EXPECT_EQ(later.view().destination_mac(), first.view().destination_mac());
    }
  }
  EXPECT_EQ(used.size(), 3U) << "clients are spread";
  EXPECT_GT(tables.events(LIMPET_EVENT_FLOWS_FULL), 0U);
  EXPECT_EQ(tables.flows().size(), kFlows);
  std::int32_t total = 0;
  for (const std::uint32_t id : ids) total += tables.counts(id).total;
  EXPECT_EQ(total, static_cast<std::int32_t>(kFlows)) << "only entries count";
}

TEST(FullTable, lets_connections_go_past_the_servers_without_an_entry) {
  Plane& plane = small_plane();
  Tables tables{plane};
  tables.reset();
  tables.config().cache_bypass = 1;
  tables.store_config();
  tables.add(mark_service(10));
  for (unsigned i = 1; i <= kFlows + 4; i++) {
    const Packet syn = packet().from("10.0.1." + std::to_string(i), 5000).to("203.0.113.5", 80);
    for (const int flags : {+kSyn, +kAck}) {
      const Outcome out = plane.run(Door::kMark, Packet(syn).tcp(flags).bytes(), 10);
      EXPECT_EQ(out.verdict, Verdict::kSent);
      EXPECT_EQ(out.view().destination_mac(), kGatewayMac);
    }
  }
  EXPECT_EQ(tables.flows().size(), kFlows);
}

TEST_P(Full, established_flows_are_unaffected) {
  tables.add_servers(tables.add(tcp_service(kVip, 80)), kThreeRouted);
  std::map<unsigned, Mac> served;
  for (unsigned i = 1; i <= kFlows; i++) served[i] = run(client(i)).view().destination_mac();
  for (unsigned i = 100; i < 120; i++) run(client(i));
  for (const auto& [number, mac] : served) {
    const Outcome out = run(client(number, kAck));
    EXPECT_EQ(out.verdict, Verdict::kSent);
    EXPECT_EQ(out.view().destination_mac(), mac);
  }
}

TEST_P(Full, servers_of_weight_0_get_no_flow_without_an_entry) {
  Service& service = tables.add(tcp_service(kVip, 80));
  const auto ids = tables.add_servers(service, kThreeRouted);
  fill_flows();
  tables.weigh(service, ids[1], 0);
  for (unsigned i = 100; i < 120; i++) EXPECT_NE(run(client(i)).view().destination_mac(), kServerBMac);
}

TEST_P(Full, once_there_is_room_flows_are_recorded_where_they_went_without) {
  tables.add_servers(tables.add(tcp_service(kVip, 80)), kThreeRouted);
  fill_flows();
  const Mac went_to = run(client(200)).view().destination_mac();
  tables.let_pass(100);
  tables.sweep();
  tables.let_pass(2);
  tables.sweep();
  ASSERT_TRUE(tables.flows().empty());
  EXPECT_EQ(run(client(200, kAck)).view().destination_mac(), went_to);
  EXPECT_EQ(tables.flows().size(), 1U);
}

TEST_P(Full, a_masqueraded_flow_without_room_is_dropped_and_leaves_nothing_behind) {
  const std::uint32_t server = tables.add_server(tables.add(tcp_service(kVip, 80)), masq(kServerA));
  for (unsigned i = 1; i <= kReverse; i++) ASSERT_EQ(run(client(i)).verdict, Verdict::kSent);
  EXPECT_EQ(run(client(100)).verdict, Verdict::kDrop);
  EXPECT_EQ(tables.events(LIMPET_EVENT_REVERSE_FULL), 1U);
  EXPECT_EQ(tables.flows().size(), kReverse);
  EXPECT_EQ(tables.counts(server).total, static_cast<std::int32_t>(kReverse));
}

TEST_P(Full, a_masqueraded_flow_without_room_in_the_flow_table_takes_its_reverse_entry_back) {
  tables.add_servers(tables.add(tcp_service(kVip, 80)), kThreeRouted);
  tables.add_server(tables.add(tcp_service(kOtherVip, 80)), masq(kServerA));
  fill_flows();
  EXPECT_EQ(run(packet().to(kOtherVip, 80).tcp(kSyn)).verdict, Verdict::kDrop);
  EXPECT_EQ(tables.reverse_entries(), 0U);
}

TEST_P(Full, clients_without_a_template_stick_all_the_same) {
  const auto ids =
      tables.add_servers(tables.add(tcp_service(kVip, 80).persistent(300).masked("255.255.255.0")), kThreeRouted);
  for (unsigned i = 1; i <= kTemplates; i++) {
    run(packet().from("10.1." + std::to_string(i) + ".1", 5000).tcp(kSyn));
  }
  ASSERT_EQ(tables.templates().size(), kTemplates);
  const Mac first = run(packet().from("10.2.0.1", 5000).tcp(kSyn)).view().destination_mac();
  for (unsigned i = 2; i < 8; i++) {
    const Outcome out = run(packet().from("10.2.0." + std::to_string(i), 6000).tcp(kSyn));
    ASSERT_EQ(out.verdict, Verdict::kSent);
    EXPECT_EQ(out.view().destination_mac(), first) << "of the same network";
  }
  EXPECT_GT(tables.events(LIMPET_EVENT_TEMPLATES_FULL), 0U);
  std::int32_t persistent = 0;
  for (const std::uint32_t id : ids) persistent += tables.counts(id).persistent;
  EXPECT_EQ(persistent, static_cast<std::int32_t>(kTemplates));
}

// Addresses of one network differ in their last byte only.
TEST_P(Full, clients_without_a_template_are_spread) {
  tables.add_servers(tables.add(tcp_service(kVip, 80).persistent(300)), {route(kServerA), route(kServerB)});
  for (unsigned i = 1; i <= kTemplates; i++) run(packet().from("10.1.0." + std::to_string(i), 5000).tcp(kSyn));
  std::map<Mac, int> served;
  for (unsigned i = 1; i <= 64; i++)
    served[run(packet().from("10.2.0." + std::to_string(i), 5000).tcp(kSyn)).view().destination_mac()]++;
  EXPECT_GT(served[kServerAMac], 16);
  EXPECT_GT(served[kServerBMac], 16);
}

TEST_P(Full, a_persistent_clients_flow_without_an_entry_goes_where_its_template_says) {
  Service& sticky = tables.add(tcp_service(kOtherVip, 80).persistent(300));
  tables.add_servers(sticky, kThreeRouted);
  tables.add_servers(tables.add(tcp_service(kVip, 80)), kThreeRouted);
  const Mac first = run(packet().from("10.3.0.1", 1).to(kOtherVip, 80).tcp(kSyn)).view().destination_mac();
  fill_flows();
  for (std::uint16_t port = 2; port < 10; port++) {
    const Outcome out = run(packet().from("10.3.0.1", port).to(kOtherVip, 80).tcp(kSyn));
    ASSERT_EQ(out.verdict, Verdict::kSent);
    EXPECT_EQ(out.view().destination_mac(), first);
  }
  ASSERT_EQ(tables.templates().size(), 1U);
  EXPECT_EQ(controlled(tables.templates().at(0).second), 1U) << "only entries are controlled";
}

using FullAtXdp = Full;
INSTANTIATE_TEST_SUITE_P(At, FullAtXdp, testing::Values(Door::kXdp), door_name);

// The scheduler proposes a server that XDP can reach; the hash, once there is no room, one that only tc can.
TEST_P(FullAtXdp, nothing_is_sent_to_a_neighbour_that_is_not_known) {
  Service& service = tables.add(tcp_service(kVip, 80).scheduled(LIMPET_LC));
  const auto ids = tables.add_servers(service, {route(kServerA), route(kSilentServer)});
  for (unsigned i = 1; i <= kFlows; i++) run(client(i), Door::kTc);
  tables.set_counts(ids[1], {1000, 1000, 0, 0, {}});
  for (unsigned i = 100; i < 120; i++) {
    const std::uint64_t never = 0;
    const std::uint32_t zero = 0;
    plane.map("flows_full").update(&zero, &never);
    const Packet syn = client(i);
    const Outcome out = run(syn);
    if (out.verdict == Verdict::kSent) {
      EXPECT_EQ(out.view().destination_mac(), kServerAMac);
    } else {
      EXPECT_EQ(out.verdict, Verdict::kPass);
      EXPECT_EQ(out.bytes, syn.bytes());
    }
  }
}

}  // namespace
}  // namespace limpet::packet
