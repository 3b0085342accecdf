// SPDX-License-Identifier: Apache-2.0
// Connection thresholds: who is left out of scheduling, and for whom a server is never overloaded. Sequences of a real
// kernel: recorded_steps_test.cpp.
#include <map>

#include "fixture.h"

namespace limpet::packet {
namespace {

class Overload : public AtDoor {
 protected:
  Overload() { hops_stay_fresh = true; }
  std::uint32_t next() { return connect("10.0.0.1", port_++, 80, door, mark()); }
  [[nodiscard]] std::uint32_t mark() const { return door == Door::kMark ? 10 : 0; }
  Service& serve(ServiceSpec spec) { return tables.add(door == Door::kMark ? marked(spec) : spec); }
  void reset(std::uint16_t port) {
    for (const int flags : {kAck, kRst}) run(door, packet().from("10.0.0.1", port).to(kVip, 80).tcp(flags), mark());
  }
  void end(std::uint16_t port) {
    reset(port);
    tables.let_pass(11);
    tables.sweep();
  }

 private:
  static ServiceSpec marked(const ServiceSpec& spec) {
    ServiceSpec by_mark = mark_service(10);
    by_mark.timeout = spec.timeout;
    return by_mark.scheduled(spec.scheduler);
  }
  std::uint16_t port_ = 1000;
};

INSTANTIATE_TEST_SUITE_P(At, Overload, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(Overload, a_server_at_its_upper_threshold_gets_no_connection_until_it_is_below_the_lower_one) {
  Service& service = serve(tcp_service(kVip, 80));
  const std::uint32_t server = tables.add_server(service, route(kServerA).thresholds(3, 2));
  for (int i = 0; i < 3; i++) EXPECT_EQ(next(), server);
  EXPECT_EQ(next(), 0U);
  end(1000);
  EXPECT_EQ(next(), 0U) << "two are not fewer than two";
  end(1001);
  EXPECT_EQ(next(), server);
  EXPECT_EQ(next(), server);
  EXPECT_EQ(next(), 0U);
}

TEST_P(Overload, a_template_leads_to_an_overloaded_server_all_the_same) {
  Service& service = serve(tcp_service(kVip, 80).persistent(300));
  const std::uint32_t server = tables.add_server(service, route(kServerA).thresholds(1));
  for (int i = 0; i < 3; i++) EXPECT_EQ(next(), server) << "a client of its own";
  EXPECT_EQ(connect("10.0.0.2", 1000, 80, door, mark()), 0U) << "a new client";
  EXPECT_EQ(tables.counts(server).total, 3);
}

TEST_P(Overload, wrr_serves_those_that_are_not_overloaded_by_their_weights_among_many) {
  std::vector<ServerSpec> specs;
  for (std::uint32_t i = 0; i < 40; i++) specs.push_back(route(kServerA).weight(i % 20 + 1).thresholds(1000000));
  Service& service = serve(tcp_service(kVip, 80).scheduled(LIMPET_WRR));
  const auto ids = tables.add_servers(service, specs);
  const std::map<std::uint32_t, int> serving = {{ids[2], 3}, {ids[11], 12}, {ids[35], 16}};
  for (const std::uint32_t id : ids) tables.set_counts(id, {0, 0, 0, serving.contains(id) ? 0U : 1U, {}});
  std::map<std::uint32_t, int> served;
  for (int i = 0; i < 2 * (3 + 12 + 16); i++) served[next()]++;
  for (const auto& [id, weight] : serving) EXPECT_EQ(served[id], 2 * weight);
  EXPECT_EQ(served.size(), serving.size());
}

TEST_P(Overload, a_service_without_thresholds_looks_at_none) {
  Service& service = serve(tcp_service(kVip, 80));
  const std::uint32_t server = tables.add_server(service, route(kServerA));
  limpet_counts counts{};
  counts.overloaded = 1;  // left over: no packet may care
  tables.set_counts(server, counts);
  EXPECT_EQ(next(), server);
}

}  // namespace
}  // namespace limpet::packet
