// SPDX-License-Identifier: Apache-2.0
// The schedulers that keep the best of all servers against plain models of the kernel's: ip_vs_lc.c, ip_vs_wlc.c,
// ip_vs_sed.c, ip_vs_nq.c, ip_vs_fo.c, ip_vs_ovf.c.
#include <random>

#include "fixture.h"

namespace limpet::packet {
namespace {

struct Server {
  std::uint32_t id = 0;
  std::int64_t weight = 0;
  std::int64_t active = 0;
  std::int64_t total = 0;
};
using Servers = std::vector<Server>;  // those with a weight, the last one added first

// Overhead over weight in fractions; the first one of equals.
template <class Overhead>
std::uint32_t least(const Servers& servers, bool weighted, Overhead overhead) {
  const Server* best = nullptr;
  for (const Server& s : servers) {
    if (best == nullptr || overhead(*best) * (weighted ? s.weight : 1) > overhead(s) * (weighted ? best->weight : 1))
      best = &s;
  }
  return best == nullptr ? 0 : best->id;
}

std::int64_t connections(const Server& s) { return s.active * 256 + s.total; }
std::int64_t delay(const Server& s) { return s.active + 1; }

std::uint32_t heaviest(const Servers& servers, bool with_room) {
  Server best;
  for (const Server& s : servers) {
    if (with_room && s.active > s.weight) continue;
    if (s.weight > best.weight) best = s;
  }
  return best.id;
}

std::uint32_t lc(const Servers& servers) { return least(servers, false, connections); }
std::uint32_t wlc(const Servers& servers) { return least(servers, true, connections); }
std::uint32_t sed(const Servers& servers) { return least(servers, true, delay); }
std::uint32_t nq(const Servers& servers) {
  for (const Server& s : servers)
    if (s.active == 0) return s.id;
  return sed(servers);
}
std::uint32_t fo(const Servers& servers) { return heaviest(servers, false); }
std::uint32_t ovf(const Servers& servers) { return heaviest(servers, true); }

struct Case {
  const char* name;
  limpet_scheduler scheduler;
  std::uint32_t (*choose)(const Servers&);
};
const Case kCases[] = {{"lc", LIMPET_LC, lc}, {"wlc", LIMPET_WLC, wlc}, {"sed", LIMPET_SED, sed},
                       {"nq", LIMPET_NQ, nq}, {"fo", LIMPET_FO, fo},    {"ovf", LIMPET_OVF, ovf}};

class ByCounts : public SchedulerTest, public testing::WithParamInterface<Case> {
 protected:
  Servers servers_of(const Service& service) {
    Servers servers;
    for (const std::uint32_t id : service.servers) {
      const limpet_counts counts = tables.counts(id);
      const std::uint32_t weight = tables.destination(id).weight;
      if (weight != 0 && counts.overloaded == 0) servers.push_back({id, weight, counts.active, counts.total});
    }
    return servers;
  }

  Service& serve(const std::vector<std::uint32_t>& weights) {
    Service& service = tables.add(tcp_service(kVip, 80).scheduled(GetParam().scheduler));
    std::vector<ServerSpec> servers;
    for (const std::uint32_t weight : weights) servers.push_back(route(kServerA).weight(weight));
    tables.add_servers(service, servers);
    return service;
  }

  std::mt19937 random_{3};
};

INSTANTIATE_TEST_SUITE_P(Schedulers, ByCounts, testing::ValuesIn(kCases),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(ByCounts, the_same_server_as_the_kernels_is_chosen_through_changes_of_counts_and_weights) {
  // Servers are looked at eight a round.
  for (const std::size_t count : {1U, 2U, 3U, 7U, 8U, 9U, 10U, 16U, 17U, 100U, 1000U}) {
    tables.reset();
    std::vector<std::uint32_t> weights;
    for (std::size_t i = 0; i < count; i++) weights.push_back(random_() % 5);
    Service& service = serve(weights);
    for (int i = 0; i < 60; i++) {
      if (i % 20 == 0) {
        const std::int32_t most = i == 0 ? 50 : i == 20 ? 5 : 1;  // the last: many idle, many equal
        for (const std::uint32_t id : service.servers) {
          const auto total = static_cast<std::int32_t>(random_()) & 0x7fffffff;
          const std::int32_t active = total % (most + 1);
          tables.set_counts(id, {active, active + total / 64 % 8, 0, 0, {}});
        }
      }
      if (i % 10 == 5) tables.weigh(service, service.servers[random_() % count], random_() % 9);
      ASSERT_EQ(next(), GetParam().choose(servers_of(service))) << "connection " << i << ", servers: " << count;
    }
  }
}

TEST_P(ByCounts, overloaded_servers_are_passed_over_wherever_they_stand) {
  for (const std::size_t count : {8U, 9U, 17U, 100U}) {
    tables.reset();
    std::vector<ServerSpec> specs;
    for (std::size_t i = 0; i < count; i++)
      specs.push_back(route(kServerA).weight(random_() % 3 + 1).thresholds(2000000000));
    Service& service = tables.add(tcp_service(kVip, 80).scheduled(GetParam().scheduler));
    tables.add_servers(service, specs);
    for (int i = 0; i < 40; i++) {
      const std::uint32_t one_in = i % 4 + 1;  // the first: all of them
      for (const std::uint32_t id : service.servers) {
        const auto active = static_cast<std::int32_t>(random_() % 4);
        tables.set_counts(id,
                          {active, active + static_cast<std::int32_t>(random_() % 3), 0, random_() % one_in == 0, {}});
      }
      ASSERT_EQ(next(), GetParam().choose(servers_of(service))) << "connection " << i << ", servers: " << count;
    }
  }
}

TEST_P(ByCounts, the_largest_weights_and_counts_do_not_overflow) {
  Service& service = serve({2147483647, 2147483646, 1});
  for (const std::uint32_t id : service.servers) {
    for (const std::uint32_t other : service.servers) tables.set_counts(other, {1, 2, 0, 0, {}});
    tables.set_counts(id, {4000000, 8000000, 0, 0, {}});
    EXPECT_EQ(next(), GetParam().choose(servers_of(service))) << "busy: " << id;
  }
}

TEST_P(ByCounts, nobody_is_chosen_where_all_weights_are_0) {
  serve({0, 0, 0});
  EXPECT_EQ(next(), 0U);
}

}  // namespace
}  // namespace limpet::packet
