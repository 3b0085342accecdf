// SPDX-License-Identifier: Apache-2.0
// Persistence templates: their keys, what re-arms them, and how long they hold.
#include <arpa/inet.h>

#include "fixture.h"

namespace limpet::packet {
namespace {

class Templates : public AtDoor {
 protected:
  Service& serve(const ServiceSpec& spec, limpet_method method = LIMPET_ROUTE) {
    Service& service = tables.add(spec);
    const std::uint16_t port = spec.port;
    const auto ids = tables.add_servers(service, {{kServerA, port, method}, {kServerB, port, method}});
    second = ids[0];
    first = ids[1];
    return service;
  }
  std::uint32_t syn(const std::string& client, std::uint16_t port, std::uint16_t to = 80, std::uint32_t mark = 0) {
    return connect(client, port, to, door, mark);
  }
  TemplateEntry only_template() {
    const auto all = tables.templates();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? TemplateEntry{} : all.front();
  }
  std::optional<limpet_template> template_at(const std::string& network, std::uint16_t port) {
    for (const auto& [key, entry] : tables.templates()) {
      if (text_of(key.client_network) == network && ntohs(key.virtual_port) == port) return entry;
    }
    return std::nullopt;
  }
  std::uint32_t first = 0, second = 0;
};
INSTANTIATE_TEST_SUITE_P(At, Templates, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(Templates, a_port_service_is_keyed_by_its_port) {
  serve(tcp_service(kVip, 80).persistent(300));
  syn("10.0.0.1", 5000);
  const auto [key, entry] = only_template();
  EXPECT_EQ(text_of(key.client_network), "10.0.0.1");
  EXPECT_EQ(text_of(key.virtual_address), kVip);
  EXPECT_EQ(ntohs(key.virtual_port), 80);
  EXPECT_EQ(key.protocol, 6);
  EXPECT_EQ(entry.destination, first);
  EXPECT_EQ(controlled(entry), 1U);
  EXPECT_NEAR(seconds_left(entry), 300, 0.2);
  EXPECT_EQ(tables.counts(first).persistent, 1);
  EXPECT_EQ(tables.counts(first).total, 1) << "a template is no connection";
}

TEST_P(Templates, a_port_0_service_is_keyed_by_the_address_alone) {
  serve(tcp_service(kVip, 0).persistent(300));
  EXPECT_EQ(syn("10.0.0.1", 5000, 80), first);
  EXPECT_EQ(syn("10.0.0.1", 5001, 443), first);
  EXPECT_EQ(syn("10.0.0.1", 5002, 22), first);
  const auto [key, entry] = only_template();
  EXPECT_EQ(key.virtual_port, 0);
  EXPECT_EQ(controlled(entry), 3U);
}

TEST_P(Templates, a_mark_service_is_keyed_by_its_mark) {
  if (door != Door::kMark) return;
  serve(mark_service(0x01020304).persistent(300));
  EXPECT_EQ(syn("10.0.0.1", 5000, 80, 0x01020304), first);
  EXPECT_EQ(syn("10.0.0.1", 5000, 443, 0x01020304), first);
  run(door, packet().from("10.0.0.1", 5000).to(kOtherVip, 53).udp(), 0x01020304);
  const auto [key, entry] = only_template();
  EXPECT_EQ(key.protocol, 0);
  EXPECT_EQ(ntohl(key.virtual_address), 0x01020304U);
  EXPECT_EQ(key.virtual_port, 0);
  EXPECT_EQ(controlled(entry), 3U);
}

TEST_P(Templates, ports_of_port_services_stick_each_on_its_own) {
  serve(tcp_service(kVip, 80).persistent(300));
  Service& https = tables.add(tcp_service(kVip, 443).persistent(300));
  const std::uint32_t secure = tables.add_server(https, route(kServerC, 443));
  EXPECT_EQ(syn("10.0.0.1", 5000, 80), first);
  EXPECT_EQ(syn("10.0.0.1", 5000, 443), secure);
  EXPECT_EQ(tables.templates().size(), 2U);
}

TEST_P(Templates, a_netmask_groups_clients) {
  serve(tcp_service(kVip, 80).persistent(300).masked("255.255.255.248"));
  EXPECT_EQ(syn("10.0.0.9", 5000), first);
  EXPECT_EQ(syn("10.0.0.15", 5000), first);
  EXPECT_EQ(syn("10.0.0.16", 5000), second);
  EXPECT_TRUE(template_at("10.0.0.8", 80));
  EXPECT_TRUE(template_at("10.0.0.16", 80));
}

TEST_P(Templates, a_netmask_need_not_be_contiguous) {
  serve(tcp_service(kVip, 80).persistent(300).masked("255.0.0.255"));
  EXPECT_EQ(syn("10.1.2.7", 5000), first);
  EXPECT_EQ(syn("10.200.99.7", 5000), first);
  EXPECT_EQ(syn("10.1.2.8", 5000), second);
  EXPECT_TRUE(template_at("10.0.0.7", 80));
}

TEST_P(Templates, only_a_new_connection_rearms) {
  serve(tcp_service(kVip, 80).persistent(300));
  syn("10.0.0.1", 5000);
  tables.let_pass(50);
  run(door, packet().from("10.0.0.1", 5000).tcp(kAck));
  run(door, packet().from("10.0.0.1", 5000).tcp(kAck).payload(100));
  EXPECT_NEAR(seconds_left(only_template().second), 250, 0.3);
  syn("10.0.0.1", 5001);
  EXPECT_NEAR(seconds_left(only_template().second), 300, 0.3);
}

TEST_P(Templates, a_template_keeps_the_timeout_it_was_made_with) {
  serve(tcp_service(kVip, 80).persistent(300));
  syn("10.0.0.1", 5000);
  Service& edited = tables.add(tcp_service(kVip, 80).persistent(1000));
  tables.add_server(edited, route(kServerC));
  EXPECT_EQ(syn("10.0.0.1", 5001), first);
  EXPECT_NEAR(seconds_left(only_template().second), 300, 0.3);
}

TEST_P(Templates, an_established_connection_assures_its_template) {
  serve(tcp_service(kVip, 80).persistent(300));
  syn("10.0.0.1", 5000);
  EXPECT_FALSE(only_template().second.word & LIMPET_TEMPLATE_ASSURED);
  run(door, packet().from("10.0.0.1", 5000).tcp(kAck));
  EXPECT_TRUE(only_template().second.word & LIMPET_TEMPLATE_ASSURED);
}

TEST_P(Templates, a_connection_under_way_that_sloppy_tcp_takes_up_assures_its_template_at_once) {
  tables.config().sloppy_tcp = 1;
  tables.store_config();
  serve(tcp_service(kVip, 80).persistent(300));
  run(door, packet().from("10.0.0.1", 5000).tcp(kAck));
  EXPECT_TRUE(only_template().second.word & LIMPET_TEMPLATE_ASSURED);
}

TEST_P(Templates, datagrams_assure_only_by_a_reply) {
  serve(udp_service(kVip, 53).persistent(300), LIMPET_MASQ);
  for (int i = 0; i < 3; i++) run(door, packet().from("10.0.0.1", 5000).to(kVip, 53).udp());
  EXPECT_FALSE(only_template().second.word & LIMPET_TEMPLATE_ASSURED);
  run(Door::kTc, packet().from(kServerB, 53).to("10.0.0.1", 5000).udp());
  EXPECT_TRUE(only_template().second.word & LIMPET_TEMPLATE_ASSURED);
}

TEST_P(Templates, an_ended_flow_is_no_longer_controlled) {
  serve(tcp_service(kVip, 80).persistent(300));
  for (std::uint16_t port = 5000; port < 5003; port++) syn("10.0.0.1", port);
  EXPECT_EQ(controlled(only_template().second), 3U);
  tables.let_pass(61);
  run(door, packet().from("10.0.0.1", 5001).tcp(kSyn));  // opened anew in place
  EXPECT_EQ(controlled(only_template().second), 3U);
  tables.sweep();
  EXPECT_EQ(controlled(only_template().second), 1U);
}

TEST_P(Templates, a_template_outlives_its_timeout_while_it_controls_a_flow) {
  serve(tcp_service(kVip, 80).persistent(300));
  syn("10.0.0.1", 5000);
  run(door, packet().from("10.0.0.1", 5000).tcp(kAck));  // established: 900 s
  tables.let_pass(310);
  tables.sweep();
  ASSERT_EQ(life_of(only_template().second.word), LIMPET_LIFE_ALIVE);
  EXPECT_EQ(syn("10.0.0.1", 5001), first);
  EXPECT_TRUE(only_template().second.word & LIMPET_TEMPLATE_EXTENDED);
  EXPECT_NEAR(seconds_left(only_template().second), 60, 0.3) << "60 s from its expiry on, for good";
}

// The kernel's timer would have prolonged it by 60 s again and again while the flow lived, however late we look.
TEST_P(Templates, the_prolongation_counts_from_the_flows_end) {
  serve(tcp_service(kVip, 80).persistent(5));
  tables.config().tcp_timeouts[LIMPET_TCP_ESTABLISHED] = 70;
  tables.store_config();
  syn("10.0.0.1", 5000);
  run(door, packet().from("10.0.0.1", 5000).tcp(kAck));
  tables.let_pass(105);  // the flow ended 35 s ago, at 70; prolonged at 5 and 65, until 125
  tables.sweep();
  ASSERT_EQ(controlled(only_template().second), 0U);
  EXPECT_EQ(life_of(only_template().second.word), LIMPET_LIFE_ALIVE);
  EXPECT_TRUE(only_template().second.word & LIMPET_TEMPLATE_EXTENDED);
  EXPECT_NEAR(seconds_left(only_template().second), 20, 0.5);
  tables.let_pass(21);
  EXPECT_EQ(syn("10.0.0.1", 5001), second) << "expired now: scheduled anew";
}

// Recorded with Linux 6.1: a timeout of persistence that is the connection's own, as with UDP and -p 300.
TEST_P(Templates, a_template_that_ends_with_its_last_flow_is_not_prolonged) {
  serve(tcp_service(kVip, 80).persistent(60));
  syn("10.0.0.1", 5000);  // SYN_RECV: 60 s
  tables.let_pass(61);
  tables.sweep();
  ASSERT_EQ(controlled(only_template().second), 0U);
  EXPECT_FALSE(only_template().second.word & LIMPET_TEMPLATE_EXTENDED);
  EXPECT_EQ(syn("10.0.0.1", 5001), second) << "expired: scheduled anew";
}

TEST_P(Templates, an_expired_template_is_made_anew_in_place) {
  serve(tcp_service(kVip, 80).persistent(100));
  syn("10.0.0.1", 5000);
  const std::uint32_t serial = only_template().second.serial;
  tables.let_pass(61);
  tables.sweep();  // the flow's end
  tables.let_pass(60);
  EXPECT_EQ(syn("10.0.0.1", 5001), second);
  EXPECT_NE(only_template().second.serial, serial);
  EXPECT_FALSE(only_template().second.word & LIMPET_TEMPLATE_EXTENDED);
  EXPECT_NEAR(seconds_left(only_template().second), 100, 0.3);
  EXPECT_EQ(tables.counts(first).persistent, 0);
  EXPECT_EQ(tables.counts(second).persistent, 1);
}

TEST_P(Templates, a_removed_servers_template_is_given_up_and_its_flows_still_find_it) {
  Service& service = serve(tcp_service(kVip, 80).persistent(300));
  syn("10.0.0.1", 5000);
  tables.remove_server(service, first);
  EXPECT_EQ(syn("10.0.0.1", 5001), second);

  auto given_up = template_at("10.0.0.1", 65535);
  ASSERT_TRUE(given_up);
  EXPECT_EQ(given_up->destination, first);
  EXPECT_EQ(controlled(*given_up), 1U);
  EXPECT_EQ(tables.counts(first).persistent, 1) << "until it times out";
  EXPECT_EQ(tables.counts(second).persistent, 1);

  tables.let_pass(61);
  tables.sweep();
  EXPECT_EQ(controlled(*template_at("10.0.0.1", 65535)), 0U);
  tables.let_pass(300);
  tables.sweep();
  expect_counts_match_entries({first, second});
  EXPECT_EQ(tables.counts(first).persistent, 0);
}

TEST_P(Templates, a_template_given_up_while_no_server_is_left_is_released_all_the_same) {
  Service& service = serve(tcp_service(kVip, 80).persistent(300));
  syn("10.0.0.1", 5000);
  tables.remove_server(service, first);
  tables.remove_server(service, second);
  EXPECT_EQ(syn("10.0.0.1", 5001), 0U);
  ASSERT_TRUE(template_at("10.0.0.1", 65535));
  tables.let_pass(61);
  tables.sweep();  // ends the flow
  EXPECT_EQ(controlled(*template_at("10.0.0.1", 65535)), 0U) << "the flow has let go of it";
  tables.let_pass(300);
  tables.sweep();
  EXPECT_EQ(tables.counts(first).persistent, 0);
}

TEST_P(Templates, a_server_of_weight_0_keeps_its_persistent_clients) {
  Service& service = serve(tcp_service(kVip, 80).persistent(300));
  syn("10.0.0.1", 5000);
  tables.weigh(service, first, 0);
  EXPECT_EQ(syn("10.0.0.1", 5001), first);
  EXPECT_EQ(syn("10.0.0.2", 5000), second);
}

TEST_P(Templates, a_client_whose_template_somebody_is_at_this_moment_goes_where_it_leads) {
  serve(tcp_service(kVip, 80).persistent(300));
  for (int client = 1; client <= 8; client++) {
    const std::string address = "10.0.0." + std::to_string(client);
    const std::uint32_t server = syn(address, 5000);
    for (auto entry : tables.templates()) {
      entry.second.word |= LIMPET_LIFE_BUSY;
      tables.put(entry);
    }
    EXPECT_EQ(syn(address, 5001), server);
    for (auto entry : tables.templates()) {
      EXPECT_EQ(controlled(entry.second), 1U);
      entry.second.word &= ~LIMPET_LIFE_MASK;
      tables.put(entry);
    }
  }
  EXPECT_EQ(tables.events(LIMPET_EVENT_TEMPLATES_FULL), 0U);
}

TEST_P(Templates, expire_quiescent_template_gives_them_up) {
  Service& service = serve(tcp_service(kVip, 80).persistent(300));
  syn("10.0.0.1", 5000);
  tables.weigh(service, first, 0);
  tables.config().expire_quiescent_template = 1;
  tables.store_config();
  EXPECT_EQ(syn("10.0.0.1", 5001), second);
  EXPECT_TRUE(template_at("10.0.0.1", 65535));
}

TEST_P(Templates, a_service_on_port_65535_gives_up_its_templates_too) {
  Service& service = serve(tcp_service(kVip, 65535).persistent(300));
  EXPECT_EQ(syn("10.0.0.1", 5000, 65535), first);
  tables.remove_server(service, first);
  EXPECT_EQ(syn("10.0.0.1", 5001, 65535), second);
  EXPECT_EQ(syn("10.0.0.1", 5002, 65535), second);
  expect_counts_match_entries({first, second});
}

}  // namespace
}  // namespace limpet::packet
