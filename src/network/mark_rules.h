// SPDX-License-Identifier: Apache-2.0
// Which routing rules and routes the way of marked packets needs, and in which steps to get there without a moment in
// which this host does not find its own addresses. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "model/result.h"
#include "network/netlink_types.h"

namespace limpet::network {

// Marked and deferred first packets that are to reach the data plane behind netfilter.
struct MarkPathPlan {
  std::set<std::uint32_t> marks;         // of the IPv4 firewall-mark services
  std::set<Address> deferred_addresses;  // VIPs of address services whose first packets go through netfilter too

  bool active() const { return !marks.empty() || !deferred_addresses.empty(); }
  bool operator==(const MarkPathPlan&) const = default;
};

// `table` holds the routes of marked packets, `table + 1` those of deferred addresses.
constexpr std::uint32_t kDefaultMarkTable = 0x4c50;

// Rules for marks that every packet of this host may walk past: 16 are some 50 ns. With more, unmarked packets jump
// over them, to our rule at this preference, the next after 0: so rules of others at any later one are met as before.
constexpr std::size_t kRulesWalked = 16;
constexpr std::uint32_t kLandingPreference = 1;

// Our rules at preference 0 in their order, without the local rule that must follow them; empty when not active. Where
// the jump among them leads is added and removed with it (rule_steps()). `deliveries`: of what comes out of limpet1 for
// a transparent proxy.
std::vector<Rule> mark_rules(const MarkPathPlan& plan, std::uint32_t table, const std::vector<Rule>& deliveries = {});

struct RuleStep {
  enum class Kind { add, remove } kind = Kind::add;
  Rule rule;

  bool operator==(const RuleStep&) const = default;
};

// The steps from the rules there are (all of the family, in the kernel's order) to `wanted`, followed by one local rule
// if there is one at preference 0. No steps: nothing to do. Refuses when a rule that is not ours stands where it
// would be deleted in place of one of ours.
Result<std::vector<RuleStep>> rule_steps(const std::vector<Rule>& current, std::vector<Rule> wanted);

// What the kernel does to the list in such a step: it adds behind all rules of the same preference and deletes the
// first rule that has everything the given one states (fib_rules.c).
void carry_out(const RuleStep& step, std::vector<Rule>& rules);

// The prefixes of the local table that marked packets are led away from: not 127.0.0.0/8, not 0.0.0.0/0, not the
// address of limpet1.
std::set<Prefix> marked_prefixes(const std::vector<Prefix>& local);
// Those of the deferred addresses that are this host's now.
std::set<Prefix> deferred_prefixes(const MarkPathPlan& plan, const std::vector<Prefix>& local);

// The address limpet1 has of its own (see MarkPath::ensure_device).
Address mark_peer_address();

}  // namespace limpet::network
