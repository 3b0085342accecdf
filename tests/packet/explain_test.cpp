// SPDX-License-Identifier: Apache-2.0
// The explain program: it says where the next connection goes, and leaves everything as it was.
#include <arpa/inet.h>

#include <map>
#include <random>

#include "fixture.h"
#include "snapshot.h"

namespace limpet::packet {
namespace {

constexpr std::uint32_t kLookedAt = 16;  // ids looked at, more than any test here has
constexpr int kUnlimited = 250;          // rounds before servers get thresholds

class Explaining : public PacketTest {
 protected:
  limpet_explain explain(const std::string& client, std::uint16_t port, std::uint16_t to_port = 80,
                         std::uint32_t mark = 0, std::uint8_t protocol = 6, const std::string& to = kVip) {
    limpet_explain question{};
    question.key = flow_key(client, port, to, to_port, protocol);
    question.mark = mark;
    const Snapshot before(plane, kLookedAt);
    const limpet_explain answer = plane.explain(question);
    EXPECT_EQ(before.changed_since(), "") << "explaining has changed these tables";
    return answer;
  }

  // 0: it is forwarded to nobody.
  std::uint32_t destination_of(const std::string& client, std::uint16_t port, std::uint16_t to_port = 80,
                               std::uint32_t mark = 0) {
    return explain(client, port, to_port, mark).destination;
  }

  Service& web(const ServiceSpec& spec, const std::vector<std::uint32_t>& weights) {
    Service& service = tables.add(spec);
    std::vector<ServerSpec> servers;
    for (const std::uint32_t weight : weights) servers.push_back(route(kServerA).weight(weight));
    tables.add_servers(service, servers);
    return service;
  }

  void expect_rule(const limpet_explain& answer, limpet_explain_rule rule) { EXPECT_EQ(answer.rule, rule); }
};

struct Case {
  const char* name;
  limpet_scheduler scheduler;
  std::uint32_t timeout;
  std::string mask;
  std::uint16_t port;
  std::uint32_t mark;
};

// Though there are servers with a weight and without thresholds.
bool may_refuse(limpet_scheduler scheduler) {
  return scheduler == LIMPET_OVF || scheduler == LIMPET_DH || scheduler == LIMPET_SH || scheduler == LIMPET_MH;
}

class NextConnection : public Explaining, public testing::WithParamInterface<Case> {
 protected:
  // Few clients and ports, so that connections are repeated, reused and found ended.
  std::string client() { return "10.1." + std::to_string(random_() % 20) + "." + std::to_string(1 + random_() % 2); }
  std::uint16_t port() { return static_cast<std::uint16_t>(2000 + random_() % 2); }
  std::mt19937 random_{11};
};

INSTANTIATE_TEST_SUITE_P(
    Services, NextConnection,
    testing::Values(
        Case{"rr", LIMPET_RR, 0, "255.255.255.255", 80, 0}, Case{"wrr", LIMPET_WRR, 0, "255.255.255.255", 80, 0},
        Case{"lc", LIMPET_LC, 0, "255.255.255.255", 80, 0}, Case{"wlc", LIMPET_WLC, 0, "255.255.255.255", 80, 0},
        Case{"sed", LIMPET_SED, 0, "255.255.255.255", 80, 0}, Case{"nq", LIMPET_NQ, 0, "255.255.255.255", 80, 0},
        Case{"fo", LIMPET_FO, 0, "255.255.255.255", 80, 0}, Case{"ovf", LIMPET_OVF, 0, "255.255.255.255", 80, 0},
        Case{"dh", LIMPET_DH, 0, "255.255.255.255", 80, 0}, Case{"sh", LIMPET_SH, 0, "255.255.255.255", 80, 0},
        Case{"mh", LIMPET_MH, 0, "255.255.255.255", 80, 0}, Case{"sh_network", LIMPET_SH, 30, "255.255.255.0", 80, 0},
        Case{"lblc", LIMPET_LBLC, 0, "255.255.255.255", 80, 0},
        Case{"lblcr", LIMPET_LBLCR, 0, "255.255.255.255", 80, 0},
        Case{"rr_persistent", LIMPET_RR, 30, "255.255.255.255", 80, 0},
        Case{"wrr_network", LIMPET_WRR, 30, "255.255.255.0", 80, 0},
        Case{"wlc_every_port", LIMPET_WLC, 30, "255.255.255.255", 0, 0},
        Case{"rr_mark", LIMPET_RR, 0, "255.255.255.255", 0, 10},
        Case{"wrr_persistent_mark", LIMPET_WRR, 30, "255.255.255.255", 0, 10}),
    [](const auto& instance) { return instance.param.name; });

TEST_P(NextConnection, goes_where_explain_said_time_and_again) {
  const Case& is = GetParam();
  ServiceSpec spec = is.mark != 0 ? mark_service(is.mark) : tcp_service(kVip, is.port);
  spec.scheduled(is.scheduler).masked(is.mask);
  if (is.timeout != 0) spec.persistent(is.timeout);
  Service& service = web(spec, {1, 3, 0, 2, 4, 2, 1, 0, 3, 1, 2});
  if (is.mark != 0) tables.add_address(ip(kVip));
  const Door door = is.mark != 0 ? Door::kMark : Door::kTc;
  std::map<std::uint32_t, int> rules;
  for (int round = 0; round < 500 && !HasFailure(); round++) {
    const std::string from = client();
    const std::uint16_t from_port = port();
    const std::uint16_t to_port = is.port != 0 ? is.port : static_cast<std::uint16_t>(random_() % 2 == 0 ? 80 : 443);
    const limpet_explain said = explain(from, from_port, to_port, is.mark);
    ASSERT_TRUE(said.destination != 0 || may_refuse(is.scheduler) || round > kUnlimited) << "round " << round;
    EXPECT_EQ(connect(from, from_port, to_port, door, is.mark), said.destination)
        << "round " << round << ", rule " << said.rule << ", flags " << said.flags;
    rules[said.rule]++;
    const int flags[] = {kAck, kFin | kAck, kRst};
    if (random_() % 2 == 0)
      run(door, packet().from(from, from_port).to(kVip, to_port).tcp(flags[random_() % 3]), is.mark);
    if (random_() % 16 == 0) tables.let_pass(static_cast<double>(random_() % 130));
    if (random_() % 128 == 0) tables.let_pass(1000);
    if (random_() % 8 == 0) tables.sweep();
    if (random_() % 64 == 0) tables.weigh(service, service.servers[random_() % 11], random_() % 5);
    if (round >= kUnlimited && random_() % 16 == 0)
      tables.limit(service, service.servers[random_() % 11], random_() % 8, random_() % 3);
  }
  EXPECT_GT(rules[LIMPET_EXPLAIN_SCHEDULER], 50);
  EXPECT_GT(rules[LIMPET_EXPLAIN_CONNECTION], 20);
  EXPECT_EQ(rules[LIMPET_EXPLAIN_TEMPLATE] > 20, is.timeout != 0);
}

TEST_F(Explaining, a_server_is_proposed_without_moving_on) {
  Service& service = web(tcp_service(kVip, 80), {1, 1, 1});
  const std::uint32_t first = destination_of("10.0.0.1", 0);
  for (int i = 0; i < 10; i++) EXPECT_EQ(destination_of("10.0.0." + std::to_string(i + 1), 0), first);
  EXPECT_EQ(tables.cursor(service), 0U);
  EXPECT_TRUE(tables.nothing_is_recorded());
  EXPECT_EQ(connect("10.0.0.7", 1000), first);
  EXPECT_NE(destination_of("10.0.0.1", 0), first);
}

TEST_F(Explaining, a_real_connection_would_have_been_seen_in_the_tables) {
  web(tcp_service(kVip, 80).persistent(300), {1, 1});
  const Snapshot before(plane, kLookedAt);
  connect("10.0.0.1", 1000);
  const std::string changed = before.changed_since();
  for (const char* table : {"counters", "counts", "flows4", "service_states", "templates4"})
    EXPECT_NE(changed.find(table), std::string::npos) << table << " has changed, but: " << changed;
}

TEST_F(Explaining, a_connection_goes_before_its_service) {
  Service& service = web(tcp_service(kVip, 80), {1, 1});
  const std::uint32_t server = connect("10.0.0.1", 1000);
  tables.remove(service);
  const limpet_explain answer = explain("10.0.0.1", 1000);
  expect_rule(answer, LIMPET_EXPLAIN_CONNECTION);
  EXPECT_EQ(answer.destination, server);
  EXPECT_EQ(answer.word, tables.flow(flow_key("10.0.0.1", 1000, kVip, 80))->word);
  EXPECT_EQ(answer.service.port, htons(80));
  EXPECT_EQ(answer.hop_kind, LIMPET_HOP_READY);
  expect_rule(explain("10.0.0.1", 1001), LIMPET_EXPLAIN_NO_SERVICE);
  expect_rule(explain("10.0.0.1", 0), LIMPET_EXPLAIN_NO_SERVICE);
}

TEST_F(Explaining, a_connection_of_a_removed_server_is_dropped) {
  Service& service = web(tcp_service(kVip, 80), {1});
  const std::uint32_t server = connect("10.0.0.1", 1000);
  tables.remove_server(service, server);
  const limpet_explain answer = explain("10.0.0.1", 1000);
  expect_rule(answer, LIMPET_EXPLAIN_REMOVED);
  EXPECT_EQ(answer.destination, server);
  expect_rule(explain("10.0.0.1", 1001), LIMPET_EXPLAIN_NO_SERVER);
}

TEST_F(Explaining, a_port_in_time_wait_begins_a_new_connection) {
  web(tcp_service(kVip, 80), {1, 1});
  const std::uint32_t first = connect("10.0.0.1", 1000);
  run(Door::kTc, packet().from("10.0.0.1", 1000).to(kVip, 80).tcp(kFin | kAck));
  const limpet_explain answer = explain("10.0.0.1", 1000);
  expect_rule(answer, LIMPET_EXPLAIN_SCHEDULER);
  EXPECT_TRUE(answer.flags & LIMPET_EXPLAIN_REUSED);
  EXPECT_EQ(answer.former, first);
  EXPECT_EQ(connect("10.0.0.1", 1000), answer.destination);
  EXPECT_NE(answer.destination, first);
}

TEST_F(Explaining, a_template_decides_for_its_whole_network) {
  web(tcp_service(kVip, 80).persistent(300).masked("255.255.255.0"), {1, 1});
  const std::uint32_t server = connect("10.0.0.1", 1000);
  const limpet_explain answer = explain("10.0.0.200", 0);
  expect_rule(answer, LIMPET_EXPLAIN_TEMPLATE);
  EXPECT_EQ(answer.destination, server);
  EXPECT_EQ(answer.template_kind, static_cast<std::uint32_t>(LIMPET_TEMPLATE_PORT));
  EXPECT_EQ(answer.template_mask, ip("255.255.255.0"));
  EXPECT_NEAR(seconds_left(answer.word >> LIMPET_TEMPLATE_EXPIRY_SHIFT), 300, 2);
  expect_rule(explain("10.0.1.1", 0), LIMPET_EXPLAIN_SCHEDULER);
}

TEST_F(Explaining, a_weight_0_server_keeps_its_templates_and_gets_nobody_new) {
  Service& service = web(tcp_service(kVip, 80).persistent(300), {1, 1});
  const std::uint32_t server = connect("10.0.0.1", 1000);
  tables.weigh(service, server, 0);
  EXPECT_EQ(destination_of("10.0.0.1", 0), server);
  EXPECT_NE(destination_of("10.0.0.2", 0), server);
}

TEST_F(Explaining, a_removed_servers_template_is_given_up_but_not_by_asking) {
  Service& service = web(tcp_service(kVip, 80).persistent(300), {1, 1});
  const std::uint32_t server = connect("10.0.0.1", 1000);
  tables.remove_server(service, server);
  const limpet_explain answer = explain("10.0.0.1", 0);
  expect_rule(answer, LIMPET_EXPLAIN_SCHEDULER);
  EXPECT_TRUE(answer.flags & LIMPET_EXPLAIN_GIVEN_UP);
  EXPECT_EQ(answer.former, server);
  tables.restore_server(service, server);
  expect_rule(explain("10.0.0.1", 0), LIMPET_EXPLAIN_TEMPLATE);
}

TEST_F(Explaining, mark_then_address_then_port_0) {
  web(tcp_service(kVip, 0).persistent(300), {1});
  web(tcp_service(kVip, 80), {1});
  web(mark_service(10), {1});
  EXPECT_EQ(explain("10.0.0.1", 0, 80, 10).service.mark, 10U);
  EXPECT_EQ(explain("10.0.0.1", 0, 80, 11).service.port, htons(80));
  EXPECT_EQ(explain("10.0.0.1", 0, 443).service.port, 0);
  EXPECT_EQ(explain("10.0.0.1", 0, 443).destination_port, htons(443));
}

TEST_F(Explaining, first_packets_that_go_through_netfilter_are_said_to) {
  web(tcp_service(kVip, 80), {1});
  EXPECT_EQ(explain("10.0.0.1", 1000).flags, 0U);
  tables.config().flags = LIMPET_DEFER_IPV4;
  tables.store_config();
  EXPECT_EQ(explain("10.0.0.1", 1000).flags, static_cast<std::uint32_t>(LIMPET_EXPLAIN_DEFERRED));
  connect("10.0.0.1", 1000, 80, Door::kMark);
  EXPECT_EQ(explain("10.0.0.1", 1000).flags, 0U) << "a connection's packets do not";
}

TEST_F(Explaining, what_opens_no_connection_is_passed_on) {
  web(tcp_service(kVip, 80), {1});
  web(tcp_service(kVip, 0), {1});
  web(tcp_service("192.168.2.99", 80), {1});
  web(udp_service(kVip, 53), {});
  expect_rule(explain("10.0.0.1", 20), LIMPET_EXPLAIN_FTP_DATA);
  expect_rule(explain("127.0.0.1", 1000), LIMPET_EXPLAIN_SOURCE);
  expect_rule(explain("239.0.0.1", 1000), LIMPET_EXPLAIN_SOURCE);
  expect_rule(explain("10.0.0.1", 1000, 81), LIMPET_EXPLAIN_NOT_PERSISTENT);
  expect_rule(explain("10.0.0.1", 1000, 80, 0, 17), LIMPET_EXPLAIN_NO_SERVICE);
  expect_rule(explain("10.0.0.1", 1000, 80, 0, 6, "192.168.2.99"), LIMPET_EXPLAIN_NOT_LOCAL);
  expect_rule(explain("10.0.0.1", 1000, 53, 0, 17), LIMPET_EXPLAIN_NO_SERVER);
}

TEST_F(Explaining, the_way_to_the_server_is_told) {
  Service& service = tables.add(tcp_service(kVip, 80));
  tables.add_server(service, route("172.31.0.1"));
  EXPECT_EQ(explain("10.0.0.1", 0).hop_kind, LIMPET_HOP_READY) << "by the default route";
  tables.add_server(service, masq(kSilentServer, 8080));
  const limpet_explain silent = explain("10.0.0.1", 0);
  EXPECT_EQ(silent.hop_kind, LIMPET_HOP_NEIGHBOUR);
  EXPECT_EQ(silent.method, LIMPET_MASQ);
  EXPECT_EQ(silent.destination_port, htons(8080));
  tables.add_server(service, masq(kDirector, 8080));
  EXPECT_EQ(explain("10.0.0.1", 0).hop_kind, LIMPET_HOP_LOCAL);
  const Temporarily prohibited("route add prohibit 172.31.0.0/16", "route del prohibit 172.31.0.0/16");
  tables.add_server(service, route("172.31.0.1"));
  EXPECT_EQ(explain("10.0.0.1", 0).hop_kind, LIMPET_HOP_UNREACHABLE);
}

TEST_F(Explaining, one_packet_scheduling_is_foretold_packet_by_packet) {
  Service& service = tables.add(udp_service(kVip, 53).of_one_packet());
  tables.add_servers(service, {route(kServerA), route(kServerB).thresholds(1), route(kServerC)});
  const std::uint32_t zero = 0;
  const std::uint64_t full = ticks_now();
  plane.map("flows_full").update(&zero, &full);  // it needs no entry
  for (int i = 0; i < 6; i++) {
    const limpet_explain said = explain("10.0.0.1", 1000, 53, 0, 17);
    expect_rule(said, LIMPET_EXPLAIN_SCHEDULER);
    const std::uint64_t before = tables.counters(said.destination).connections;
    run(Door::kTc, packet().from("10.0.0.1", 1000).to(kVip, 53).udp());
    EXPECT_EQ(tables.counters(said.destination).connections, before + 1);
  }
}

TEST_F(Explaining, while_the_table_of_connections_is_full_the_hash_decides) {
  web(tcp_service(kVip, 80), {1, 1, 1});
  const std::uint32_t zero = 0;
  const std::uint64_t when = ticks_now();
  plane.map("flows_full").update(&zero, &when);
  for (int i = 0; i < 20; i++) {
    const auto port = static_cast<std::uint16_t>(1000 + i);
    const limpet_explain answer = explain("10.0.0.1", port);
    expect_rule(answer, LIMPET_EXPLAIN_HASH);
    EXPECT_EQ(connect("10.0.0.1", port), answer.destination);
  }
}

TEST_F(Explaining, says_when_it_is_the_turn_of_drop_packet) {
  web(tcp_service(kVip, 80), {1});
  tables.config().drop_rate = 2;
  tables.config().drop_until = ~0ULL;
  tables.store_config();
  for (std::uint16_t port = 1001; port < 1007; port++) {
    const limpet_explain said = explain("10.1.0.1", port);
    EXPECT_EQ(said.rule == LIMPET_EXPLAIN_DROP_PACKET, port % 2 == 1) << port;
    EXPECT_EQ(connect("10.1.0.1", port), said.destination) << port;
  }
  expect_rule(explain("10.1.0.1", 1002), LIMPET_EXPLAIN_CONNECTION);
  expect_rule(explain("10.1.0.1", 1001, 81), LIMPET_EXPLAIN_NO_SERVICE);
}

}  // namespace
}  // namespace limpet::packet
