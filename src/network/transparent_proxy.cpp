// SPDX-License-Identifier: Apache-2.0
// The administrator's rules, met with the marks of services.
#include "network/transparent_proxy.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <optional>

#include "network/interfaces.h"
#include "network/mark_cover.h"
#include "network/mark_rules.h"

namespace limpet::network {
namespace {

// Beside each of the administrator's tables stands ours: its number with these bits turned over.
constexpr std::uint32_t kBeside = kDefaultMarkTable << 16;

// The main table is never read: a router's is long. What is local in the local table, the mark path leads anyway.
bool is_of_the_kernel(std::uint32_t table) {
  return table == RT_TABLE_UNSPEC || table == RT_TABLE_DEFAULT || table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL;
}

// Not ours, for marks, and for packets that come in from outside.
bool is_candidate(const Rule& rule) {
  return rule.protocol != kRouteProtocol && rule.action == FR_ACT_TO_TBL && rule.mask != 0 && !rule.inverted &&
         !is_of_the_kernel(rule.table) && rule.input_interface != "lo" && rule.input_interface != kMarkDevice &&
         rule.input_interface != kMarkPeer;
}

bool is_local_anywhere(const std::vector<Route>& routes) {
  return std::any_of(routes.begin(), routes.end(), [](const Route& route) { return route.type == RTN_LOCAL; });
}

// The marks that both a rule and a cube mean.
std::optional<MarkCube> common(const Rule& rule, const MarkCube& cube) {
  if (((rule.mark ^ cube.value) & rule.mask & cube.mask) != 0) return std::nullopt;
  return MarkCube{(rule.mark & rule.mask) | cube.value, rule.mask | cube.mask};
}

// The marks of services that a rule means; all that it means if those would be more rules than may be walked: what has
// no service comes back from limpet1.
std::vector<MarkCube> marks_to_lead(const Rule& rule, const std::vector<MarkCube>& cubes) {
  std::vector<MarkCube> meant;
  for (const MarkCube& cube : cubes)
    if (const auto both = common(rule, cube)) meant.push_back(*both);
  if (meant.size() > kRulesWalked) meant = {MarkCube{rule.mark & rule.mask, rule.mask}};
  return meant;
}

// What the administrator's table has elsewhere within a local prefix is looked for on, there.
OwnRoutes own_routes(const std::vector<Route>& routes, int limpet0) {
  OwnRoutes own;
  std::vector<Prefix> local;
  for (const Route& route : routes)
    if (route.type == RTN_LOCAL && own.emplace(route.prefix, limpet0).second) local.push_back(route.prefix);
  for (const Route& route : routes) {
    const auto holds = [&](const Prefix& prefix) { return prefix.contains(route.prefix.address); };
    if (std::any_of(local.begin(), local.end(), holds)) own.emplace(route.prefix, kNowhere);
  }
  return own;
}

std::string cannot_lead(const Rule& rule, const std::string& why) {
  return "The routing rule \"" + rule.to_string() +
         "\" makes marked packets local, but limpet cannot lead them to their service: " + why;
}

// Empty: it can be led.
std::string hindrance(const Rule& rule) {
  if (rule.narrowed_otherwise) return "it has selectors other than fwmark, iif and ipproto.";
  if (rule.priority <= kLandingPreference) return "give it a preference above 1.";
  return "";
}

}  // namespace

bool is_lead(const Rule& rule) {
  return rule.protocol == kRouteProtocol && rule.action == FR_ACT_TO_TBL && rule.priority != 0;
}

std::set<std::uint32_t> tables_to_read(const std::vector<Rule>& rules, const std::set<std::uint32_t>& marks) {
  const std::vector<MarkCube> cubes = cover(marks);
  std::set<std::uint32_t> tables;
  for (const Rule& rule : rules) {
    const auto has_marks_of = [&](const MarkCube& cube) { return common(rule, cube).has_value(); };
    if (is_candidate(rule) && std::any_of(cubes.begin(), cubes.end(), has_marks_of)) tables.insert(rule.table);
  }
  return tables;
}

bool needs_all_routes(const std::vector<Route>& local) {
  return std::any_of(local.begin(), local.end(), [](const Route& route) { return route.prefix.length < 32; });
}

TransparentProxies find_transparent_proxies(const std::vector<Rule>& rules,
                                            const std::map<std::uint32_t, std::vector<Route>>& tables,
                                            const std::set<std::uint32_t>& marks, int limpet0) {
  TransparentProxies found;
  const std::vector<MarkCube> cubes = cover(marks);
  for (const Rule& rule : rules) {
    const auto table = tables.find(rule.table);
    if (!is_candidate(rule) || table == tables.end() || !is_local_anywhere(table->second)) continue;
    const std::vector<MarkCube> meant = marks_to_lead(rule, cubes);
    if (meant.empty()) continue;
    if (const std::string why = hindrance(rule); !why.empty()) {
      found.hazards.push_back(cannot_lead(rule, why));
      continue;
    }
    Rule delivery = rule;
    delivery.priority = 0;
    delivery.mark &= rule.mask;
    delivery.protocol = kRouteProtocol;
    delivery.input_interface = kMarkPeer;
    if (std::find(found.deliveries.begin(), found.deliveries.end(), delivery) == found.deliveries.end())
      found.deliveries.push_back(delivery);
    Rule own_packets = delivery;
    own_packets.priority = rule.priority - 1;
    own_packets.input_interface = "lo";
    if (rule.input_interface.empty()) found.leads.push_back(own_packets);
    for (const MarkCube& marks_of_one : meant) {
      Rule lead = own_packets;
      lead.input_interface = rule.input_interface;
      lead.table = rule.table ^ kBeside;
      lead.mark = marks_of_one.value;
      lead.mask = marks_of_one.mask;
      found.leads.push_back(lead);
    }
    found.tables.emplace(rule.table ^ kBeside, own_routes(table->second, limpet0));
  }
  return found;
}

std::vector<Rule> leads_to_add(const std::vector<Rule>& leads, const std::vector<Rule>& current) {
  std::vector<Rule> missing;
  for (const Rule& lead : leads) {
    const auto is_beside = [&](const Rule& rule) { return rule.priority == lead.priority; };
    const auto place = std::find(current.begin(), current.end(), lead);
    const bool is_overtaken =
        std::any_of(place, current.end(), [&](const Rule& rule) { return is_beside(rule) && !is_lead(rule); });
    // Those of one preference keep their order.
    if (place == current.end() || is_overtaken || std::any_of(missing.begin(), missing.end(), is_beside))
      missing.push_back(lead);
  }
  return missing;
}

}  // namespace limpet::network
