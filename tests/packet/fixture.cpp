// SPDX-License-Identifier: Apache-2.0
// What several packet tests check.
#include "fixture.h"

#include <map>

namespace limpet::packet {
namespace {

bool is_active_state(std::uint32_t state) {
  return state == LIMPET_TCP_ESTABLISHED || state == LIMPET_TCP_SYN_SENT || state == LIMPET_TCP_SYN_RECV ||
         state == LIMPET_TCP_SYNACK;
}

}  // namespace

void PacketTest::expect_counts_match_entries(const std::vector<std::uint32_t>& servers) {
  std::map<std::uint32_t, limpet_counts> expected;
  for (const auto& [key, flow] : tables.flows()) {
    if (life_of(flow.word) != LIMPET_LIFE_ALIVE) continue;
    expected[flow.destination].total++;
    if (key.protocol == 6 && is_active_state(state_of(flow))) expected[flow.destination].active++;
  }
  for (const auto& [key, entry] : tables.templates()) {
    if (life_of(entry.word) == LIMPET_LIFE_ALIVE) expected[entry.destination].persistent++;
  }
  for (const std::uint32_t server : servers) {
    const limpet_counts counts = tables.counts(server);
    EXPECT_EQ(counts.total, expected[server].total) << "flows of server " << server;
    EXPECT_EQ(counts.active, expected[server].active) << "active flows of server " << server;
    EXPECT_EQ(counts.persistent, expected[server].persistent) << "templates of server " << server;
  }
}

void PacketTest::expect_templates_hold_their_flows() {
  // Serials are random, told apart under one key only: among thousands of templates two may well have the same.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> flows;
  for (const auto& [key, flow] : tables.flows()) {
    if (life_of(flow.word) == LIMPET_LIFE_ALIVE && flow.template_kind != LIMPET_TEMPLATE_NONE) {
      flows[{key.client_address & flow.template_mask, flow.template_serial}]++;
    }
  }
  for (const auto& [key, entry] : tables.templates()) {
    if (life_of(entry.word) != LIMPET_LIFE_ALIVE) continue;
    const std::uint32_t held = flows[{key.client_network, entry.serial}];
    EXPECT_EQ(controlled(entry), held) << "template of " << text_of(key.client_network);
  }
}

}  // namespace limpet::packet
