// SPDX-License-Identifier: Apache-2.0
// The order of the rules at preference 0, and the way from one such list to another.
//
// The kernel adds a rule behind all others of its preference and deletes by what is stated, so "lookup local" also
// deletes "iif lo lookup local" if that comes first. Hence a list that is not as wanted is not patched: the whole
// wanted list and a new local rule are added behind the old ones, then the old ones are deleted from the front. At
// every moment in between some local rule is there and every wanted mark that was there before is still led to limpet0.
//
// Many rules for marks would cost every packet of this host, so unmarked ones jump over them. The kernel jumps to
// another preference only, and gives preference 0 to whatever is added without one: such a rule, behind ours, would be
// jumped over too. Hence the jump goes when one is there. It is no part of what must be right: without it all rules are
// walked.
#include "network/mark_rules.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "network/interfaces.h"
#include "network/mark_cover.h"

namespace limpet::network {
namespace {

Rule own_rule(std::uint32_t table) {
  Rule rule;
  rule.action = FR_ACT_TO_TBL;
  rule.table = table;
  rule.protocol = kRouteProtocol;
  return rule;
}

Rule from_interface(const std::string& name, Rule rule) {
  rule.input_interface = name;
  return rule;
}

Rule blackhole() {
  Rule rule = own_rule(0);
  rule.action = FR_ACT_BLACKHOLE;
  return rule;
}

// What has no mark. (Rules for marks never match it.)
Rule unmarked(Rule rule) {
  rule.mark = 0;
  rule.mask = 0xffffffff;
  return rule;
}

Rule jump() {
  Rule rule = own_rule(0);
  rule.action = FR_ACT_GOTO;
  rule.target = kLandingPreference;
  return unmarked(rule);
}

// Where the jump ends; it does nothing, and rules of others at its preference are met as before.
Rule landing() {
  Rule rule = own_rule(0);
  rule.priority = kLandingPreference;
  rule.action = FR_ACT_NOP;
  return rule;
}

bool is_ours(const Rule& rule) { return rule.priority == 0 && rule.protocol == kRouteProtocol; }

bool is_local_rule(const Rule& rule) {
  return !is_ours(rule) && rule.priority == 0 && rule.action == FR_ACT_TO_TBL && rule.table == RT_TABLE_LOCAL &&
         rule.input_interface.empty() && rule.mask == 0 && rule.ip_protocol == 0 && !rule.narrowed_otherwise;
}

// Whether the kernel would take `rule` for the one meant by a request to delete `stated` (rule_find in fib_rules.c).
bool is_meant(const Rule& stated, const Rule& rule) {
  if (rule.priority != stated.priority || rule.action != stated.action) return false;
  if (stated.table != 0 && rule.table != stated.table) return false;
  if (!stated.input_interface.empty() && rule.input_interface != stated.input_interface) return false;
  if (stated.ip_protocol != 0 && rule.ip_protocol != stated.ip_protocol) return false;
  if (stated.mark != 0 && rule.mark != stated.mark) return false;
  return stated.mask == 0 || rule.mask == stated.mask;
}

// In which order old rules go. A local rule can only be deleted once the rules "iif ... lookup local" before it are
// gone; the blackhole stays to the last, so that while limpet1 has no local rule of its own nothing circles between
// it and limpet0. A jump over the local rule goes before what stands in for that.
int turn_to_go(const Rule& rule) {
  if (rule.action == FR_ACT_GOTO) return -1;
  if (is_local_rule(rule)) return 1;
  if (rule.action == FR_ACT_BLACKHOLE) return 3;
  return rule.table == RT_TABLE_LOCAL ? 0 : 2;
}

// Without new rules behind them the ones that lead packets away go first and the local rule stays.
int turn_to_go_for_good(const Rule& rule) {
  if (rule.action == FR_ACT_GOTO) return -1;
  if (rule.action == FR_ACT_BLACKHOLE) return 1;
  return rule.table == RT_TABLE_LOCAL ? 2 : 0;
}

// Rules of others between the last local rule and the next preference: what a jump would leave out.
bool others_come_behind(const std::vector<Rule>& current) {
  bool behind = false;
  for (const Rule& rule : current) {
    if (rule.priority != 0) break;
    if (is_local_rule(rule))
      behind = false;
    else if (!is_ours(rule))
      behind = true;
  }
  return behind;
}

std::vector<Rule> without_jump(std::vector<Rule> rules) {
  std::erase(rules, jump());
  return rules;
}

bool is_as_wanted(const std::vector<Rule>& current, const std::vector<Rule>& wanted) {
  std::vector<Rule> ours;
  std::size_t local_rules = 0;
  bool ours_after_local = false;
  for (const Rule& rule : current) {
    if (is_local_rule(rule)) ++local_rules;
    if (!is_ours(rule)) continue;
    ours.push_back(rule);
    ours_after_local |= local_rules > 0;
  }
  return ours == wanted && local_rules <= 1 && !ours_after_local;
}

// All of `wanted` and a new local rule behind what is there, then what was there away, from the front.
void exchange(const std::vector<Rule>& current, const std::vector<Rule>& wanted, std::vector<RuleStep>& steps) {
  std::vector<Rule> leaving;
  std::vector<Rule> local_rules;
  for (const Rule& rule : current) {
    if (is_ours(rule)) leaving.push_back(rule);
    if (is_local_rule(rule)) local_rules.push_back(rule);
  }
  if (wanted.empty()) {
    // More than one local rule is the trace of a process killed half-way. One is kept, and "lookup local" can only be
    // deleted safely once our own that look like it are gone: they are, by then.
    std::stable_sort(leaving.begin(), leaving.end(), [](const Rule& left, const Rule& right) {
      return turn_to_go_for_good(left) < turn_to_go_for_good(right);
    });
    if (!local_rules.empty()) leaving.insert(leaving.end(), local_rules.begin() + 1, local_rules.end());
  } else {
    for (const Rule& rule : wanted) steps.push_back({RuleStep::Kind::add, rule});
    if (!local_rules.empty()) steps.push_back({RuleStep::Kind::add, local_rules.front()});
    leaving.insert(leaving.end(), local_rules.begin(), local_rules.end());
    std::stable_sort(leaving.begin(), leaving.end(),
                     [](const Rule& left, const Rule& right) { return turn_to_go(left) < turn_to_go(right); });
  }
  for (const Rule& rule : leaving) steps.push_back({RuleStep::Kind::remove, rule});
}

Result<std::vector<RuleStep>> checked(std::vector<RuleStep> steps, std::vector<Rule> rules) {
  for (const RuleStep& step : steps) {
    if (step.kind == RuleStep::Kind::remove) {
      const auto hit =
          std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return is_meant(step.rule, rule); });
      const bool is_meant_to_go = hit == rules.end() || is_ours(*hit) || is_local_rule(*hit) || *hit == landing();
      if (!is_meant_to_go) {
        return Error{ErrorCode::internal,
                     "The routing rule \"" + hit->to_string() +
                         "\" is not limpet's and stands in the way of limpet's own at preference " +
                         std::to_string(step.rule.priority) + ": give it another preference."};
      }
    }
    carry_out(step, rules);
  }
  return steps;
}

}  // namespace

std::vector<Rule> mark_rules(const MarkPathPlan& plan, std::uint32_t table, const std::vector<Rule>& deliveries) {
  if (!plan.active()) return {};
  std::vector<Rule> rules;
  // What this host sends itself, and the source checks the kernel makes in the name of lo, are as they were.
  rules.push_back(from_interface("lo", own_rule(RT_TABLE_LOCAL)));
  // The data plane's own lookups (bpf_fib_lookup) are made in the name of limpet0: to them an address of this host is
  // local, not a way back to limpet0.
  rules.push_back(from_interface(kMarkDevice, own_rule(RT_TABLE_LOCAL)));
  // What the mark door did not take goes on to this host. An address that has just been taken away is not found there;
  // then the packet must not be led to limpet0 again, where it would circle for ever (the door restores the TTL).
  rules.push_back(from_interface(kMarkPeer, own_rule(RT_TABLE_LOCAL)));
  rules.insert(rules.end(), deliveries.begin(), deliveries.end());
  rules.push_back(from_interface(kMarkPeer, blackhole()));
  if (!plan.deferred_addresses.empty()) {
    // By protocol, since the kernel looks up the address of an ARP request by the same rules (arp_process) and answers
    // only if it finds it local.
    for (const Protocol protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
      Rule rule = own_rule(table + 1);
      rule.ip_protocol = static_cast<std::uint8_t>(protocol);
      rules.push_back(rule);
    }
  }
  std::set<std::uint32_t> marks = plan.marks;
  marks.erase(0);  // no mark: every packet
  const std::vector<MarkCube> cubes = cover(marks);
  if (cubes.size() > kRulesWalked) {
    rules.push_back(unmarked(own_rule(RT_TABLE_LOCAL)));
    rules.push_back(jump());
  }
  for (const MarkCube& cube : cubes) {
    Rule rule = own_rule(table);
    rule.mark = cube.value;
    rule.mask = cube.mask;
    rules.push_back(rule);
  }
  return rules;
}

Result<std::vector<RuleStep>> rule_steps(const std::vector<Rule>& current, std::vector<Rule> wanted) {
  // Who has moved the local rule wants others before it, which what stands in for it would overtake.
  if (std::none_of(current.begin(), current.end(), is_local_rule)) {
    wanted = without_jump(std::move(wanted));
    std::erase(wanted, unmarked(own_rule(RT_TABLE_LOCAL)));
  }
  const bool jumps = std::find(wanted.begin(), wanted.end(), jump()) != wanted.end();
  const bool has_landing = std::find(current.begin(), current.end(), landing()) != current.end();
  std::vector<RuleStep> steps;
  if (jumps && !has_landing) steps.push_back({RuleStep::Kind::add, landing()});
  if (is_as_wanted(current, wanted)) {
    if (jumps && others_come_behind(current)) steps.push_back({RuleStep::Kind::remove, jump()});
  } else if (!others_come_behind(current) || !is_as_wanted(current, without_jump(wanted))) {
    exchange(current, wanted, steps);
  }
  if (!jumps && has_landing) steps.push_back({RuleStep::Kind::remove, landing()});
  return checked(std::move(steps), current);
}

void carry_out(const RuleStep& step, std::vector<Rule>& rules) {
  if (step.kind == RuleStep::Kind::add) {
    const auto behind =
        std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.priority > step.rule.priority; });
    rules.insert(behind, step.rule);
    return;
  }
  const auto first =
      std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return is_meant(step.rule, rule); });
  if (first != rules.end()) rules.erase(first);
}

std::set<Prefix> marked_prefixes(const std::vector<Prefix>& local) {
  std::set<Prefix> prefixes;
  for (const Prefix& prefix : local) {
    if (prefix.address.family() != Family::ipv4 || prefix.length == 0) continue;
    if (prefix.address.is_loopback() || prefix == Prefix::host(mark_peer_address())) continue;
    prefixes.insert(prefix);
  }
  return prefixes;
}

std::set<Prefix> deferred_prefixes(const MarkPathPlan& plan, const std::vector<Prefix>& local) {
  std::set<Prefix> prefixes;
  for (const Address& address : plan.deferred_addresses) {
    if (address.family() != Family::ipv4 || address.is_loopback()) continue;
    const bool is_local =
        std::any_of(local.begin(), local.end(), [&](const Prefix& prefix) { return prefix.contains(address); });
    if (is_local) prefixes.insert(Prefix::host(address));
  }
  return prefixes;
}

Address mark_peer_address() { return *Address::parse("169.254.76.80"); }

}  // namespace limpet::network
