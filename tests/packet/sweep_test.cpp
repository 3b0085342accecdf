// SPDX-License-Identifier: Apache-2.0
// The sweeper: what it ends, what it deletes and when, and that it never touches the living.
#include <random>

#include "fixture.h"

namespace limpet::packet {
namespace {

class Sweeper : public PacketTest {
 protected:
  std::uint32_t serve(const ServiceSpec& spec, limpet_method method) {
    return tables.add_server(tables.add(spec), {kServerA, spec.port, method});
  }
};

TEST_F(Sweeper, an_expired_flow_dies_and_is_deleted_a_second_later) {
  const std::uint32_t server = serve(tcp_service(kVip, 80), LIMPET_MASQ);
  connect("10.0.0.1", 5000);
  tables.let_pass(61);

  tables.sweep();
  ASSERT_EQ(tables.flows().size(), 1U);
  EXPECT_EQ(life_of(tables.flows().at(0).second.word), LIMPET_LIFE_DEAD);
  EXPECT_EQ(tables.counts(server).total, 0);
  EXPECT_EQ(tables.counts(server).active, 0);
  EXPECT_EQ(tables.reverse_entries(), 0U);

  tables.sweep();
  EXPECT_EQ(tables.flows().size(), 1U) << "somebody may still be reading it";
  tables.let_pass(1.2);
  tables.sweep();
  EXPECT_TRUE(tables.flows().empty());
  EXPECT_EQ(tables.counts(server).total, 0) << "settled once";
}

TEST_F(Sweeper, the_living_are_left_alone) {
  const std::uint32_t server = serve(tcp_service(kVip, 80).persistent(300), LIMPET_MASQ);
  connect("10.0.0.1", 5000);
  const auto flow = tables.flows().at(0).second.word;
  const auto entry = tables.templates().at(0).second.word;
  tables.let_pass(30);
  tables.sweep();
  EXPECT_EQ(tables.flows().at(0).second.word + (ticks(30) << LIMPET_FLOW_EXPIRY_SHIFT), flow);
  EXPECT_EQ(tables.templates().at(0).second.word + (ticks(30) << LIMPET_TEMPLATE_EXPIRY_SHIFT), entry);
  EXPECT_EQ(tables.counts(server).total, 1);
  EXPECT_EQ(tables.counts(server).persistent, 1);
}

TEST_F(Sweeper, an_expired_template_that_controls_flows_lives) {
  const std::uint32_t server = serve(tcp_service(kVip, 80).persistent(10), LIMPET_ROUTE);
  connect("10.0.0.1", 5000);
  tables.let_pass(20);
  tables.sweep();
  EXPECT_EQ(life_of(tables.templates().at(0).second.word), LIMPET_LIFE_ALIVE);
  EXPECT_EQ(tables.counts(server).persistent, 1);
}

TEST_F(Sweeper, an_expired_template_dies_and_is_deleted_a_second_later) {
  const std::uint32_t server = serve(tcp_service(kVip, 80).persistent(10), LIMPET_ROUTE);
  connect("10.0.0.1", 5000);
  tables.let_pass(61);
  tables.sweep();  // the flow ends; the template was prolonged until 70
  tables.let_pass(15);
  tables.sweep();
  ASSERT_EQ(tables.templates().size(), 1U);
  EXPECT_EQ(life_of(tables.templates().at(0).second.word), LIMPET_LIFE_DEAD);
  EXPECT_EQ(tables.counts(server).persistent, 0);
  tables.let_pass(1.2);
  tables.sweep();
  EXPECT_TRUE(tables.templates().empty());
  EXPECT_EQ(tables.counts(server).persistent, 0);
}

TEST_F(Sweeper, keys_that_are_not_there_do_no_harm) {
  plane.sweep(LIMPET_SWEEP_FLOWS4, std::vector<Bytes>(3000, Bytes(16, 7)));
  plane.sweep(LIMPET_SWEEP_TEMPLATES4, std::vector<Bytes>(3000, Bytes(16, 7)));
  EXPECT_TRUE(tables.nothing_is_recorded());
}

TEST_F(Sweeper, a_reverse_entry_that_is_another_flows_by_now_stays) {
  serve(tcp_service(kVip, 80), LIMPET_MASQ);
  tables.add_server(tables.add(tcp_service(kOtherVip, 80)), masq(kServerA));
  run(Door::kTc, packet().from("10.0.0.1", 5000).tcp(kSyn));
  tables.let_pass(40);
  run(Door::kTc, packet().from("10.0.0.1", 5000).to(kOtherVip, 80).tcp(kSyn));  // the same pair at the server
  tables.let_pass(40);
  tables.sweep();
  EXPECT_EQ(tables.reverse_entries(), 1U);
  const Outcome reply = run(Door::kTc, packet().from(kServerA, 80).to("10.0.0.1", 5000).tcp(kSyn | kAck));
  ASSERT_EQ(reply.verdict, Verdict::kSent);
  EXPECT_EQ(reply.view().source(), kOtherVip);
}

// Clients come and go, servers are drained, removed and restored, time passes, the sweeper runs or not: at every moment
// the counts are those of the entries, and templates hold exactly the flows that name them.
TEST_F(Sweeper, counts_are_those_of_the_entries_whatever_happens) {
  hops_stay_fresh = false;
  for (unsigned seed = 1; seed <= 6 && !HasFailure(); seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    tables.reset();
    tables.config().expire_nodest_conn = seed % 2;
    tables.config().flags = seed % 3 == 0 ? LIMPET_COUNT_PACKETS | LIMPET_SECURE_TCP : 0;
    tables.config().drop_rate = seed % 3 == 1 ? 5 : 0;
    tables.config().drop_until = ~0ULL;
    tables.store_config();
    Service& plain = tables.add(tcp_service(kVip, 80));
    Service& sticky = tables.add(tcp_service(kVip, 443).persistent(100).masked("255.255.255.252"));
    Service& any = tables.add(tcp_service(kOtherVip, 0).persistent(20));
    std::vector<std::uint32_t> all;
    for (Service* service : {&plain, &sticky, &any}) {
      for (const std::uint32_t id : tables.add_servers(*service, {masq(kServerA), route(kServerB), masq(kServerC)})) {
        all.push_back(id);
      }
    }
    for (int step = 0; step < 700 && !HasFailure(); step++) {
      const std::uint32_t what = random() % 100;
      if (what < 70) {
        const int flags[] = {kSyn, kSyn, kAck, kFin | kAck, kRst};
        const std::uint16_t ports[] = {80, 443, 80, 22};
        const std::uint32_t port = random() % 4;
        run(random() % 2 == 0 ? Door::kTc : Door::kXdp,
            packet()
                .from("10.0.0." + std::to_string(random() % 12 + 1), static_cast<std::uint16_t>(5000 + random() % 3))
                .to(port < 2 ? kVip : kOtherVip, ports[port])
                .tcp(flags[random() % 5]));
      } else if (what < 80) {
        tables.let_pass(1 + random() % 40);
      } else if (what < 90) {
        const limpet_sweep_table modes[] = {LIMPET_SWEEP_FLOWS4, LIMPET_EXPIRE_FLOWS4, LIMPET_DROP_FLOWS4};
        const auto mode = modes[random() % 3];
        tables.sweep(mode, static_cast<limpet_sweep_table>(mode + 1));  // its templates follow
      } else {
        Service* services[] = {&plain, &sticky, &any};
        Service& service = *services[random() % 3];
        const std::uint32_t id = all[(service.id - 1) * 3 + random() % 3];
        const bool there = std::find(service.servers.begin(), service.servers.end(), id) != service.servers.end();
        if (!there) {
          tables.restore_server(service, id);
        } else if (random() % 2 == 0) {
          tables.remove_server(service, id);
        } else {
          tables.weigh(service, id, random() % 2);
        }
      }
      expect_counts_match_entries(all);
      expect_templates_hold_their_flows();
      ASSERT_FALSE(HasFailure()) << "step " << step << ", action " << what;
    }
  }
}

}  // namespace
}  // namespace limpet::packet
