// SPDX-License-Identifier: Apache-2.0
// lblc and lblcr: what they remember of a virtual address, and when not. Sequences of a real kernel:
// recorded_steps_test.cpp.
#include "fixture.h"

namespace limpet::packet {
namespace {

constexpr std::uint32_t kMarked = 10;

class Localities : public PacketTest {
 protected:
  // A connection of a new client to this address.
  std::uint32_t to(const std::string& address) {
    clients_++;
    const std::string client = "10.1." + std::to_string(clients_ >> 8) + "." + std::to_string(clients_ & 0xff);
    const Packet from = packet().from(client, 1000).to(address, 80);
    run(Door::kMark, Packet(from).tcp(kSyn), kMarked);
    run(Door::kMark, Packet(from).tcp(kAck), kMarked);
    const auto flow = tables.flow(flow_key(client, 1000, address, 80));
    return flow ? flow->destination : 0;
  }
  Service& serve(limpet_scheduler scheduler, const std::vector<std::uint32_t>& weights) {
    Service& service = tables.add(mark_service(kMarked).scheduled(scheduler));
    for (const std::uint32_t weight : weights) tables.add_server(service, route(kServerA).weight(weight));
    return service;
  }
  // Gives the id to another server, as limpetd does with one that nothing names any more.
  void bear_again(std::uint32_t server) {
    limpet_destination d = tables.destination(server);
    d.born = ticks_now() + 1;
    plane.map("destinations").update(&server, &d);
  }

 private:
  unsigned clients_ = 0;
};

class Remembering : public Localities, public testing::WithParamInterface<limpet_scheduler> {};
INSTANTIATE_TEST_SUITE_P(By, Remembering, testing::Values(LIMPET_LBLC, LIMPET_LBLCR), [](const auto& instance) {
  return std::string(instance.param == LIMPET_LBLC ? "lblc" : "lblcr");
});

TEST_P(Remembering, an_address_keeps_its_server_while_others_are_less_loaded) {
  serve(GetParam(), {9, 9, 9});
  const std::uint32_t first = to("10.9.0.1");
  for (int i = 0; i < 5; i++) EXPECT_EQ(to("10.9.0.1"), first);
  EXPECT_NE(to("10.9.0.2"), first);
}

TEST_P(Remembering, another_service_remembers_for_itself) {
  serve(GetParam(), {9, 9});
  Service& other = tables.add(tcp_service(kVip, 80).scheduled(GetParam()));
  const std::uint32_t server = tables.add_server(other, route(kServerA).weight(9));
  EXPECT_NE(to(kVip), server);
  EXPECT_EQ(connect("10.0.0.1", 1000), server);
}

TEST_P(Remembering, an_id_that_has_been_given_to_another_server_is_not_what_was_meant) {
  Service& service = serve(GetParam(), {9, 9});
  const std::uint32_t first = to("10.9.0.1");
  EXPECT_EQ(to("10.9.0.1"), first);
  bear_again(first);
  EXPECT_NE(to("10.9.0.1"), first) << "chosen anew, among " << service.servers.size();
}

TEST_P(Remembering, where_nothing_can_be_remembered_each_connection_is_scheduled_like_wlc) {
  serve(GetParam(), {9, 9});
  const Map map = plane.map(GetParam() == LIMPET_LBLC ? "localities" : "locality_sets");
  limpet_locality_set value{};
  std::uint32_t filled = 0;
  for (; filled < 2 * kLocalities; filled++) {
    const limpet_locality_key key{999, filled, {}};
    if (!map.insert(&key, &value)) break;
  }
  ASSERT_GE(filled, kLocalities);
  ASSERT_LT(filled, 2 * kLocalities);
  const std::uint32_t first = to("10.9.0.1");
  const std::uint32_t second = to("10.9.0.1");
  EXPECT_NE(first, 0U);
  EXPECT_NE(second, 0U);
  EXPECT_NE(first, second);
}

TEST_F(Localities, the_first_connection_makes_an_entry_and_later_ones_write_nothing_for_a_second) {
  serve(LIMPET_LBLC, {9});
  to("10.9.0.1");
  ASSERT_EQ(tables.localities().size(), 1U);
  const std::uint64_t used = tables.localities()[0].second.used;
  to("10.9.0.1");
  EXPECT_LT(tables.localities()[0].second.used - used, LIMPET_TICKS_PER_SECOND);
  tables.let_pass(10);
  to("10.9.0.1");
  EXPECT_GE(tables.localities()[0].second.used, used);
}

TEST_F(Localities, another_scheduler_in_between_forgets_them) {
  Service& service = serve(LIMPET_LBLC, {9, 9});
  to("10.9.0.1");
  for (const limpet_scheduler scheduler : {LIMPET_WLC, LIMPET_LBLC}) {
    service.spec.scheduler = scheduler;
    tables.publish(service);
  }
  EXPECT_EQ(to("10.9.0.1"), service.servers[1]) << "the less loaded one";
}

TEST_F(Localities, a_set_grows_by_a_server_when_it_is_crowded_and_shrinks_after_the_time_of_its_sysctl) {
  Service& service = serve(LIMPET_LBLCR, {1, 1, 1});
  tables.config().lblcr_expiration = 60;
  tables.store_config();
  for (int i = 0; i < 6; i++) to("10.9.0.1");
  ASSERT_EQ(tables.locality_sets().size(), 1U);
  EXPECT_EQ(tables.locality_sets()[0].second.count, 3U);
  tables.let_pass(50);
  to("10.9.0.1");
  EXPECT_EQ(tables.locality_sets()[0].second.count, 3U);
  tables.let_pass(20);
  const auto before = tables.locality_sets()[0].second;
  to("10.9.0.1");
  const auto after = tables.locality_sets()[0].second;
  EXPECT_EQ(after.count, 2U);
  EXPECT_GT(after.changed, before.changed);
  to("10.9.0.1");
  EXPECT_EQ(tables.locality_sets()[0].second.count, 2U) << "one at a time";
  EXPECT_EQ(service.servers.size(), 3U);
}

TEST_F(Localities, a_set_names_as_many_servers_as_fit_and_goes_on_with_those) {
  const std::size_t kMany = LIMPET_LOCALITY_SERVERS + 20;
  Service& service = tables.add(mark_service(kMarked).scheduled(LIMPET_LBLCR));
  std::vector<ServerSpec> servers(kMany, route(kServerA));
  tables.add_servers(service, servers);
  for (std::size_t i = 0; i < 3 * kMany; i++) ASSERT_NE(to("10.9.0.1"), 0U) << i;
  EXPECT_EQ(tables.locality_sets()[0].second.count, std::uint32_t{LIMPET_LOCALITY_SERVERS});
  std::size_t idle = 0;
  for (const std::uint32_t id : service.servers) idle += tables.counts(id).total == 0 ? 1 : 0;
  EXPECT_EQ(idle, 0U) << "those that the set cannot name get their share as well";
}

}  // namespace
}  // namespace limpet::packet
