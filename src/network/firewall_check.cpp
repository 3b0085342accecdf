// SPDX-License-Identifier: Apache-2.0
// Gathers the hazards on the way of marked first packets: firewall chains of both back ends, then sysctls.
#include "network/firewall_check.h"

#include <net/if.h>
#include <netinet/in.h>

#include <linux/netfilter.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "network/firewall_legacy.h"
#include "network/firewall_nft.h"
#include "network/firewall_rules.h"

namespace limpet::network {
namespace {

using Hazards = std::vector<FirewallHazard>;

/// How a chain is called in its own tools' words, and what lets our packets by in front of all its rules.
struct ChainWords {
  std::string of;      // "iptables chain FORWARD"
  std::string policy;  // "The FORWARD policy of iptables is DROP"
  std::string remedy;  // a command
  std::string accept;  // how the tool spells the policy
  std::string limit;   // how a rule is limited to an interface
};

ChainWords iptables_words(const std::string& binary, const std::string& device, bool nat) {
  const std::string chain = nat ? "POSTROUTING" : "FORWARD";
  const std::string tool = binary == "iptables-legacy" ? binary : "iptables";
  return {.of = tool + " chain " + chain,
          .policy = "The " + chain + " policy of " + tool + " is DROP",
          .remedy = binary + (nat ? " -t nat" : "") + " -I " + chain + " -o " + device + " -j ACCEPT",
          .accept = "ACCEPT",
          .limit = "-o INTERFACE"};
}

ChainWords nft_words(const NftBaseChain& chain, const std::string& device) {
  if (chain.family == NFPROTO_IPV4 && chain.table == (chain.nat ? "nat" : "filter") &&
      chain.name == (chain.nat ? "POSTROUTING" : "FORWARD")) {
    return iptables_words("iptables-nft", device, chain.nat);
  }
  const std::string name = (chain.family == NFPROTO_INET ? "inet " : "ip ") + chain.table + ' ' + chain.name;
  return {.of = "nft chain " + name,
          .policy = "The policy of nft chain " + name + " is drop",
          .remedy = "nft insert rule " + name + " oifname " + device + " accept",
          .accept = "accept",
          .limit = "oifname INTERFACE"};
}

std::string policy_text(const ChainWords& words) {
  return words.policy + ", so marked connections never reach their service: run `" + words.remedy +
         "` (or set the policy to " + words.accept + ").";
}

std::string drop_text(const ChainWords& words, const std::string& device) {
  return "A rule in " + words.of + " drops what is forwarded to " + device +
         ", so marked connections never reach their service: run `" + words.remedy + "`.";
}

std::string rewrite_text(const ChainWords& words, const std::string& device) {
  return "A MASQUERADE or SNAT rule in " + words.of + " also applies to packets on their way to " + device +
         ", so the clients of marked connections lose their address: limit it with `" + words.limit + "`, or run `" +
         words.remedy + "`.";
}

/// Everything hangs on the way from one ingress interface to the device; the worst of all ways counts.
class PathCheck {
 public:
  PathCheck(const std::vector<std::string>& ingress, const std::string& device) : device_(device) {
    for (const std::string& interface : ingress) paths_.push_back({interface, device});
    // Nobody said where clients arrive: then only what holds for every interface is plain.
    if (paths_.empty()) paths_.push_back({"", device});
  }

  void check_forward(const ChainLookup& chains, const std::string& base, bool policy_drop, const ChainWords& words,
                     Hazards& hazards) const {
    bool dropped = false;
    bool left_to_policy = false;
    for (const ForwardPath& path : paths_) {
      const ForwardOutcome outcome = forward_outcome(chains, base, path);
      dropped = dropped || outcome == ForwardOutcome::kDropped;
      left_to_policy = left_to_policy || outcome == ForwardOutcome::kPolicy;
    }
    if (left_to_policy && policy_drop) {
      hazards.push_back({policy_text(words)});
    } else if (dropped) {
      hazards.push_back({drop_text(words, device_)});
    }
  }

  void check_nat(const ChainLookup& chains, const std::string& base, const ChainWords& words, Hazards& hazards) const {
    const bool rewritten = std::any_of(paths_.begin(), paths_.end(),
                                       [&](const ForwardPath& path) { return rewrites_source(chains, base, path); });
    if (rewritten) hazards.push_back({rewrite_text(words, device_)});
  }

 private:
  const std::string device_;
  std::vector<ForwardPath> paths_;
};

/// All that the answer for nf_tables depends on.
struct NftQuestion {
  NftGeneration generation;
  std::vector<std::string> interfaces;
  std::vector<unsigned> indexes;  // rules may name interfaces by index
  bool operator==(const NftQuestion&) const = default;
};

Hazards check_nft(NftRuleset& ruleset, const std::string& device, const PathCheck& path) {
  Hazards hazards;
  for (const NftBaseChain& base : ruleset.base_chains()) {
    const ChainLookup chains = [&](const std::string& chain) -> const std::vector<FirewallRule>& {
      return ruleset.rules(base, chain);
    };
    if (base.nat) {
      path.check_nat(chains, base.name, nft_words(base, device), hazards);
    } else {
      path.check_forward(chains, base.name, base.policy_drop, nft_words(base, device), hazards);
    }
  }
  return hazards;
}

/// check_nft(), but a ruleset of thousands of rules, which takes the kernel long to list, is read only when it has
/// changed. The generation is asked for before the rules: a change in between is seen the next time.
Hazards check_nft_if_changed(const std::vector<std::string>& ingress, const std::string& device,
                             const PathCheck& path) {
  thread_local std::optional<NftQuestion> answered;
  thread_local Hazards answer;
  NftRuleset ruleset(ingress, device);
  const auto generation = ruleset.generation();
  if (!generation) return {};
  NftQuestion question{*generation, ingress, {}};
  question.interfaces.push_back(device);
  for (const std::string& name : question.interfaces) question.indexes.push_back(if_nametoindex(name.c_str()));
  if (answered != question) {
    answer = check_nft(ruleset, device, path);
    answered = question;
  }
  return answer;
}

void check_legacy(const std::string& device, const PathCheck& path, Hazards& hazards) {
  for (const std::string& table : legacy_tables()) {
    const bool nat = table == "nat";
    if (!nat && table != "filter") continue;
    const auto chain = read_legacy_chain(table, nat ? NF_INET_POST_ROUTING : NF_INET_FORWARD);
    if (!chain) continue;
    const ChainLookup chains = [&](const std::string& name) -> const std::vector<FirewallRule>& {
      static const std::vector<FirewallRule> none;
      const auto found = chain->chains.find(name);
      return found != chain->chains.end() ? found->second : none;
    };
    const ChainWords words = iptables_words("iptables-legacy", device, nat);
    if (nat) {
      path.check_nat(chains, chain->base, words, hazards);
    } else {
      path.check_forward(chains, chain->base, chain->policy_drop, words, hazards);
    }
  }
}

/// net.ipv4.conf.INTERFACE.KEY of the calling thread's namespace.
std::optional<int> conf_of(const std::string& interface, const std::string& key) {
  std::ifstream file("/proc/sys/net/ipv4/conf/" + interface + '/' + key);
  int value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

/// The key as sysctl(8) takes it: a dot in an interface's name (VLANs) becomes a slash.
std::string sysctl_name(std::string interface, const std::string& key) {
  std::replace(interface.begin(), interface.end(), '.', '/');
  return "net.ipv4.conf." + interface + '.' + key;
}

void check_sysctls(const std::string& interface, Hazards& hazards) {
  // The kernel takes the larger rp_filter of `all` and the interface (IN_DEV_MAXCONF), and src_valid_mark from
  // either (IN_DEV_ORCONF).
  const int reverse_path =
      std::max(conf_of("all", "rp_filter").value_or(0), conf_of(interface, "rp_filter").value_or(0));
  const bool with_mark =
      conf_of("all", "src_valid_mark").value_or(0) != 0 || conf_of(interface, "src_valid_mark").value_or(0) != 0;
  if (reverse_path == 1 && with_mark) {
    hazards.push_back({"Strict rp_filter together with src_valid_mark=1 on " + interface +
                       " makes the kernel discard marked connections: run `sysctl -w " +
                       sysctl_name(interface, "rp_filter") + "=2` (or set src_valid_mark to 0)."});
  }
  if (conf_of(interface, "forwarding") == 0) {
    hazards.push_back({"Forwarding is off on " + interface +
                       ", so marked connections never reach their service: run `sysctl -w " +
                       sysctl_name(interface, "forwarding") + "=1`."});
  }
}

}  // namespace

std::vector<FirewallHazard> find_mark_hazards(const std::vector<std::string>& ingress, const std::string& device) {
  const PathCheck path(ingress, device);
  Hazards hazards = check_nft_if_changed(ingress, device, path);
  check_legacy(device, path, hazards);
  for (const std::string& interface : ingress) check_sysctls(interface, hazards);
  return hazards;
}

}  // namespace limpet::network
