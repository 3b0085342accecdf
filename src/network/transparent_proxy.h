// SPDX-License-Identifier: Apache-2.0
// Transparent proxies: rules of the administrator's that make marked packets for other hosts' addresses local ("ip rule
// add fwmark 1 lookup 100", "ip route add local default dev lo table 100"). IPVS sees such packets, so the mark path
// has to lead them to the data plane: by a rule of ours right before the administrator's, to a table of ours in which
// what is local in his goes out of limpet0. No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "network/netlink_types.h"

namespace limpet::network {

struct TransparentProxies {
  // Ours, each with the preference before the administrator's rule: the host's own packets to his table, others to
  // ours.
  std::vector<Rule> leads;
  std::vector<Rule> deliveries;  // ours at preference 0: what comes out of limpet1 is delivered by his tables
  std::map<std::uint32_t, OwnRoutes> tables;  // ours, by number
  std::vector<std::string> hazards;           // sentences: what is there and cannot be led
};

// Whether the routes of a table that are not local have to be known: some of its local prefixes could hold them.
bool needs_all_routes(const std::vector<Route>& local);

// The tables of `rules` that could make packets with these marks local: what find_transparent_proxies() wants to know
// of. Only those of rules for marks: others may lead to tables as long as a router's, which nobody reads at every
// change.
std::set<std::uint32_t> tables_to_read(const std::vector<Rule>& rules, const std::set<std::uint32_t>& marks);

// `marks`: of the IPv4 services. `tables`: what stands in those, by number, at least what is local there; `limpet0`:
// the interface's index.
TransparentProxies find_transparent_proxies(const std::vector<Rule>& rules,
                                            const std::map<std::uint32_t, std::vector<Route>>& tables,
                                            const std::set<std::uint32_t>& marks, int limpet0);

// Whether a rule is one of the leads, of this process or a former one.
bool is_lead(const Rule& rule);

// Those of `leads` that have to be added behind the rules there are: missing, or with another's rule of their
// preference behind them, and what follows such a one.
std::vector<Rule> leads_to_add(const std::vector<Rule>& leads, const std::vector<Rule>& current);

}  // namespace limpet::network
