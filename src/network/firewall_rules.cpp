// SPDX-License-Identifier: Apache-2.0
// Walks chains as a marked first packet would, and says where it ends.
#include "network/firewall_rules.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace limpet::network {
namespace {

bool matches(const InterfacePattern& pattern, const std::string& interface) {
  return pattern.prefix ? interface.starts_with(pattern.name) : interface == pattern.name;
}

bool interfaces_match(const FirewallRule& rule, const ForwardPath& path) {
  return std::all_of(rule.interfaces.begin(), rule.interfaces.end(), [&](const InterfaceMatch& match) {
    const std::string& interface = match.output ? path.device : path.ingress;
    const bool found = std::any_of(match.any_of.begin(), match.any_of.end(),
                                   [&](const InterfacePattern& pattern) { return matches(pattern, interface); });
    return found != match.negated;
  });
}

/// Walks a chain and those it jumps to, each once: the kernel allows no loops, but several ways to one chain.
class ForwardWalk {
 public:
  ForwardWalk(const ChainLookup& chains, const ForwardPath& path) : chains_(chains), path_(path) {}

  ForwardOutcome walk(const std::string& chain) {
    // Entered before the walk, so that a ruleset changing under our eyes cannot send us in circles.
    const auto [known, added] = outcomes_.try_emplace(chain, ForwardOutcome::kPolicy);
    if (added) known->second = walk_rules(chains_(chain));
    return known->second;
  }

 private:
  ForwardOutcome walk_rules(const std::vector<FirewallRule>& rules) {
    for (const FirewallRule& rule : rules) {
      if (!interfaces_match(rule, path_)) continue;
      const bool plain = !rule.narrowed && !rule.unclear;
      if (rule.verdict == RuleVerdict::kJump || rule.verdict == RuleVerdict::kGoto) {
        const ForwardOutcome outcome = walk(rule.chain);
        if (outcome == ForwardOutcome::kAccepted) return outcome;
        if (plain && (outcome == ForwardOutcome::kDropped || rule.verdict == RuleVerdict::kGoto)) return outcome;
      } else if (plain) {
        if (rule.verdict == RuleVerdict::kAccept) return ForwardOutcome::kAccepted;
        if (rule.verdict == RuleVerdict::kDrop) return ForwardOutcome::kDropped;
        if (rule.verdict == RuleVerdict::kReturn) return ForwardOutcome::kPolicy;
      }
    }
    return ForwardOutcome::kPolicy;
  }

  const ChainLookup& chains_;
  const ForwardPath& path_;
  std::map<std::string, ForwardOutcome> outcomes_;
};

enum class NatOutcome { kRewritten, kLeftAlone, kGoesOn };

class NatWalk {
 public:
  NatWalk(const ChainLookup& chains, const ForwardPath& path) : chains_(chains), path_(path) {}

  NatOutcome walk(const std::string& chain, bool base) {
    const auto [known, added] = outcomes_.try_emplace(chain, NatOutcome::kGoesOn);
    if (added) known->second = walk_rules(chains_(chain), base);
    return known->second;
  }

 private:
  NatOutcome walk_rules(const std::vector<FirewallRule>& rules, bool base) {
    for (const FirewallRule& rule : rules) {
      if (!interfaces_match(rule, path_)) continue;
      const bool plain = !rule.narrowed && !rule.unclear;
      switch (rule.verdict) {
        case RuleVerdict::kRewriteSource:
          if (!rule.unclear) return NatOutcome::kRewritten;
          break;
        case RuleVerdict::kAccept:
        case RuleVerdict::kDrop:
          if (plain) return NatOutcome::kLeftAlone;
          break;
        case RuleVerdict::kReturn:
          // Chains of container hosts begin with "return, unless one of ours" before a bare MASQUERADE, so in a
          // chain jumped to even a conditional return ends what can be said.
          if (plain || !base) return NatOutcome::kGoesOn;
          break;
        case RuleVerdict::kJump:
        case RuleVerdict::kGoto:
          if (!rule.unclear) {
            const NatOutcome outcome = walk(rule.chain, false);
            if (outcome == NatOutcome::kRewritten) return outcome;
            if (plain && (outcome == NatOutcome::kLeftAlone || rule.verdict == RuleVerdict::kGoto)) return outcome;
          }
          break;
        case RuleVerdict::kNone:
          break;
      }
    }
    return NatOutcome::kGoesOn;
  }

  const ChainLookup& chains_;
  const ForwardPath& path_;
  std::map<std::string, NatOutcome> outcomes_;
};

}  // namespace

ForwardOutcome forward_outcome(const ChainLookup& chains, const std::string& base_chain, const ForwardPath& path) {
  return ForwardWalk(chains, path).walk(base_chain);
}

bool rewrites_source(const ChainLookup& chains, const std::string& base_chain, const ForwardPath& path) {
  return NatWalk(chains, path).walk(base_chain, true) == NatOutcome::kRewritten;
}

RuleVerdict extension_verdict(const std::string& target) {
  if (target == "REJECT" || target == "DROP") return RuleVerdict::kDrop;
  if (target == "ACCEPT" || target == "NFQUEUE" || target == "QUEUE") return RuleVerdict::kAccept;
  if (target == "MASQUERADE" || target == "SNAT" || target == "NETMAP") return RuleVerdict::kRewriteSource;
  return RuleVerdict::kNone;
}

void add_extension_match(FirewallRule& rule, const std::string& match) {
  static constexpr std::array<std::string_view, 9> kNarrowing{"tcp",  "udp",      "sctp",      "dccp", "multiport",
                                                              "mark", "connmark", "conntrack", "state"};
  if (match == "comment") return;
  if (std::find(kNarrowing.begin(), kNarrowing.end(), match) != kNarrowing.end()) {
    rule.narrowed = true;
  } else {
    rule.unclear = true;
  }
}

}  // namespace limpet::network
