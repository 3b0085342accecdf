// SPDX-License-Identifier: Apache-2.0
// twos: two draws by weight, the less loaded server is taken (ip_vs_twos.c). One-packet scheduling keeps the counts as
// they are, so that shares can be counted. They are held to six standard deviations.
#include <cmath>
#include <map>

#include "fixture.h"

namespace limpet::packet {
namespace {

class Twos : public PacketTest {
 protected:
  Service& serve(const std::vector<ServerSpec>& servers) {
    Service& service = tables.add(udp_service(kVip, 53).scheduled(LIMPET_TWOS).of_one_packet());
    ids_ = tables.add_servers(service, servers);
    return service;
  }
  // Of each server, in the order in which they were added.
  std::vector<double> shares(int datagrams) {
    const Bytes frame = packet().to(kVip, 53).udp().bytes();
    tables.freshen_hops();
    std::vector<std::uint64_t> before;
    for (const std::uint32_t id : ids_) before.push_back(tables.counters(id).connections);
    for (int i = 0; i < datagrams; i++) plane.run(Door::kTc, frame);
    std::vector<double> shares;
    for (std::size_t i = 0; i < ids_.size(); i++)
      shares.push_back(static_cast<double>(tables.counters(ids_[i]).connections - before[i]) / datagrams);
    return shares;
  }
  static void expect_share(double share, double expected, int datagrams) {
    EXPECT_NEAR(share, expected, 6 * std::sqrt(expected * (1 - expected) / datagrams) + 1e-9);
  }
  void load(std::size_t server, std::int32_t connections) {
    limpet_counts counts = tables.counts(ids_[server]);
    counts.total = connections;
    tables.set_counts(ids_[server], counts);
  }

  std::vector<std::uint32_t> ids_;
  static constexpr int kDatagrams = 4000;
};

TEST_F(Twos, idle_servers_are_chosen_by_their_weights_and_the_first_in_the_list_has_a_unit_more) {
  serve({route(kServerA).weight(1), route(kServerB).weight(2), route(kServerC).weight(3), route(kServerA).weight(0)});
  const auto share = shares(kDatagrams);
  expect_share(share[0], 1.0 / 7, kDatagrams);
  expect_share(share[1], 2.0 / 7, kDatagrams);
  expect_share(share[2], 4.0 / 7, kDatagrams);
  EXPECT_EQ(share[3], 0.0);
}

TEST_F(Twos, of_two_that_are_drawn_the_less_loaded_one_is_taken) {
  serve({route(kServerA).weight(2), route(kServerB).weight(2), route(kServerC).weight(2)});
  load(1, 1000);
  load(2, 1000000);
  const auto share = shares(kDatagrams);  // C, the last one added, has 3 units of 7
  expect_share(share[0], 1 - (5.0 / 7) * (5.0 / 7), kDatagrams);
  expect_share(share[2], (3.0 / 7) * (3.0 / 7), kDatagrams);
}

TEST_F(Twos, the_shares_of_overloaded_servers_are_the_others) {
  Service& service = serve({route(kServerA).weight(1), route(kServerB).weight(1), route(kServerC).weight(2)});
  for (std::size_t i = 0; i < 3; i++) load(i, 5);
  tables.limit(service, ids_[2], 5);
  const auto share = shares(kDatagrams);
  EXPECT_EQ(share[2], 0.0);
  expect_share(share[0], 1.0 / 3, kDatagrams);
  expect_share(share[1], 2.0 / 3, kDatagrams);  // the first that is left has the unit more
}

TEST_F(Twos, one_server_that_is_left_of_many_is_found) {
  std::vector<ServerSpec> servers(200, route(kServerA).weight(100));
  servers.push_back(route(kServerB).weight(1));
  Service& service = serve(servers);
  for (std::size_t i = 0; i < 200; i++) {
    load(i, 5);
    limpet_destination d = tables.destination(ids_[i]);
    d.upper_threshold = 5;
    plane.map("destinations").update(&ids_[i], &d);
    limpet_counts counts = tables.counts(ids_[i]);
    counts.overloaded = 1;
    tables.set_counts(ids_[i], counts);
  }
  tables.publish(service);
  EXPECT_EQ(shares(50)[200], 1.0);
  tables.weigh(service, ids_[200], 0);
  EXPECT_EQ(run(Door::kTc, packet().to(kVip, 53).udp()).view().destination_mac(), kGatewayMac)
      << "nobody: an ICMP error";
}

TEST_F(Twos, a_service_whose_weights_are_0_or_that_has_no_servers_refuses) {
  Service& service = serve({});
  EXPECT_EQ(run(Door::kTc, packet().to(kVip, 53).udp()).view().destination_mac(), kGatewayMac);
  tables.add_server(service, route(kServerA).weight(0));
  EXPECT_EQ(run(Door::kTc, packet().to(kVip, 53).udp()).view().destination_mac(), kGatewayMac);
  tables.add_server(service, route(kServerB).weight(2147483647));
  tables.add_server(service, route(kServerC).weight(2147483647));
  for (int i = 0; i < 20; i++) EXPECT_EQ(run(Door::kTc, packet().to(kVip, 53).udp()).verdict, Verdict::kSent);
}

}  // namespace
}  // namespace limpet::packet
