// SPDX-License-Identifier: Apache-2.0
// Two CPUs at the same entries: whoever wins, counts and templates must be those of the entries in the end.
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "fixture.h"

namespace limpet::packet {
namespace {

constexpr auto kDuration = std::chrono::seconds(3);

class Races : public PacketTest {
 protected:
  // Runs `work(cpu, random)` again and again on two CPUs at once, and `beside` on any.
  template <class Work, class Beside>
  void race(Work work, Beside beside) {
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (unsigned cpu = 0; cpu < 2; cpu++) {
      threads.emplace_back([&, cpu] {
        const OnOneCpu here(cpu % std::max(1U, std::thread::hardware_concurrency()));
        std::mt19937 random(cpu + 1);
        while (!stop) work(random);
      });
    }
    const auto until = std::chrono::steady_clock::now() + kDuration;
    while (std::chrono::steady_clock::now() < until) beside();
    stop = true;
    for (std::thread& thread : threads) thread.join();
  }

  void expect_everything_to_add_up(const std::vector<std::uint32_t>& servers) {
    for (const auto& [key, flow] : tables.flows()) EXPECT_NE(life_of(flow.word), LIMPET_LIFE_BUSY);
    for (const auto& [key, entry] : tables.templates()) EXPECT_NE(life_of(entry.word), LIMPET_LIFE_BUSY);
    expect_counts_match_entries(servers);
    expect_templates_hold_their_flows();
  }
  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }
};

// Both CPUs send the same new client's packets at about the same time: one flow, one template.
TEST_F(Races, two_CPUs_open_the_same_flows_and_templates) {
  Service& sticky = tables.add(tcp_service(kVip, 80).persistent(300).masked("255.255.255.252"));
  const auto ids = tables.add_servers(sticky, {masq(kServerA), masq(kServerB), route(kServerC)});
  std::atomic<std::uint32_t> turn = 0;
  race(
      [&](std::mt19937&) {
        const std::uint32_t client = (turn++ / 2) % 30000;
        plane.run(Door::kTc, packet()
                                 .from_address(ip("10.0.0.0") + ((client & 0xff) << 24) + ((client >> 8 & 0xff) << 16),
                                               static_cast<std::uint16_t>(5000 + (client >> 16)))
                                 .tcp(kSyn)
                                 .bytes());
      },
      pause);
  EXPECT_GT(tables.flows().size(), 1000U);
  expect_everything_to_add_up(ids);
  std::uint64_t connections = 0;
  for (const std::uint32_t id : ids) connections += tables.counters(id).connections;
  EXPECT_EQ(connections, tables.flows().size()) << "each was opened once";
}

// A network behind one address, or -M 0.0.0.0: every connection re-arms the one template, and none may miss it.
TEST_F(Races, all_connections_of_a_busy_network_reach_the_server_of_its_template) {
  Service& sticky = tables.add(tcp_service(kVip, 80).persistent(300).masked("0.0.0.0"));
  const auto ids = tables.add_servers(sticky, {route(kServerA), route(kServerB), route(kServerC)});
  race(
      [&](std::mt19937& random) {
        plane.run(Door::kTc, packet()
                                 .from("10.0.0." + std::to_string(random() % 200),
                                       static_cast<std::uint16_t>(5000 + random() % 50000))
                                 .tcp(kSyn)
                                 .bytes());
      },
      pause);
  const auto templates = tables.templates();
  ASSERT_EQ(templates.size(), 1U);
  const std::uint32_t server = templates.begin()->second.destination;
  std::size_t elsewhere = 0;
  std::size_t uncontrolled = 0;
  for (const auto& [key, flow] : tables.flows()) {
    elsewhere += flow.destination != server ? 1 : 0;
    uncontrolled += flow.template_kind == LIMPET_TEMPLATE_NONE ? 1 : 0;
  }
  EXPECT_EQ(elsewhere, 0U) << "of " << tables.flows().size();
  EXPECT_EQ(uncontrolled, 0U);
  expect_everything_to_add_up(ids);
}

// Few keys and no timeouts: entries are opened anew in place and swept all the time, and those of two other seconds
// out of three are idle long enough to be deleted.
TEST_F(Races, flows_end_and_begin_while_the_sweeper_runs) {
  Service& http = tables.add(tcp_service(kVip, 80));
  const auto ids = tables.add_servers(http, {masq(kServerA), masq(kServerB), route(kServerC)});
  std::fill(std::begin(tables.config().tcp_timeouts), std::end(tables.config().tcp_timeouts), 0);
  tables.store_config();
  std::vector<Bytes> keys;
  for (std::uint32_t i = 0; i < LIMPET_SWEEP_KEYS; i++) {
    const limpet_flow4_key key = flow_key("10.0.0.1", static_cast<std::uint16_t>(5000 + i % 30), kVip, 80);
    keys.emplace_back(sizeof(key));
    std::memcpy(keys.back().data(), &key, sizeof(key));
  }
  race(
      [&](std::mt19937& random) {
        const int flags[] = {kSyn, kSyn, kAck, kRst};
        const std::uint64_t second = ticks_now() / LIMPET_TICKS_PER_SECOND;
        plane.run(Door::kTc, packet()
                                 .from("10.0.0.1", static_cast<std::uint16_t>(5000 + second % 3 * 10 + random() % 10))
                                 .tcp(flags[random() % 4])
                                 .bytes());
      },
      [&] { plane.sweep(LIMPET_SWEEP_FLOWS4, keys); });
  expect_everything_to_add_up(ids);
}

TEST_F(Races, templates_end_and_begin_while_the_sweeper_runs) {
  Service& sticky = tables.add(tcp_service(kVip, 80).persistent(1));
  const auto ids = tables.add_servers(sticky, {masq(kServerA), route(kServerB), route(kServerC)});
  tables.config().tcp_timeouts[LIMPET_TCP_SYN_RECV] = 0;
  tables.config().tcp_timeouts[LIMPET_TCP_CLOSE] = 0;
  tables.store_config();
  race(
      [&](std::mt19937& random) {
        plane.run(Door::kTc,
                  packet()
                      .from("10.0.0." + std::to_string(random() % 8), static_cast<std::uint16_t>(5000 + random() % 5))
                      .tcp(kSyn)
                      .bytes());
        // Now and then a client is quiet long enough for its template to end.
        if (random() % 4096 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1100));
      },
      [&] { tables.sweep(); });
  expect_everything_to_add_up(ids);
}

// Servers go and come back under load: templates are given up while their flows end.
TEST_F(Races, templates_are_given_up_while_their_flows_end) {
  Service& sticky = tables.add(tcp_service(kVip, 80).persistent(300));
  const auto ids = tables.add_servers(sticky, {route(kServerA), route(kServerB)});
  tables.config().tcp_timeouts[LIMPET_TCP_SYN_RECV] = 0;
  tables.store_config();
  race(
      [&](std::mt19937& random) {
        plane.run(Door::kTc,
                  packet()
                      .from("10.0.0." + std::to_string(random() % 4), static_cast<std::uint16_t>(5000 + random() % 50))
                      .tcp(kSyn)
                      .bytes());
      },
      [&] {
        const std::uint32_t id = ids[std::random_device{}() % 2];
        tables.remove_server(sticky, id);
        tables.sweep();
        tables.restore_server(sticky, id);
        tables.sweep();
      });
  expect_everything_to_add_up(ids);
}

}  // namespace
}  // namespace limpet::packet
