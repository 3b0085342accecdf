// SPDX-License-Identifier: Apache-2.0
// What a firewall rule means for a packet on its way to the mark door, whichever back end the rule came from.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace limpet::network {

/// `name` as a whole, or as the beginning of an interface's name (`eth+` of iptables, `eth*` of nft).
struct InterfacePattern {
  std::string name;
  bool prefix = false;
};

/// A condition on the interface a packet came in by or goes out of. No pattern at all matches no interface.
struct InterfaceMatch {
  bool output = false;
  bool negated = false;
  std::vector<InterfacePattern> any_of;
};

enum class RuleVerdict {
  kNone,           // counts, logs, marks …: the packet goes on to the next rule
  kAccept,         // also what hands the packet to user space, which then decides
  kDrop,           // also every kind of reject
  kReturn,         // back to the calling chain
  kJump,           // to `chain`, and back
  kGoto,           // to `chain`, and not back here
  kRewriteSource,  // MASQUERADE, SNAT, NETMAP
};

/// One rule, as far as it matters here.
struct FirewallRule {
  std::vector<InterfaceMatch> interfaces;
  bool narrowed = false;  // by protocol, port, mark or connection state: some marked packets match
  bool unclear = false;   // by addresses, sets or anything else: none of them may ever match
  RuleVerdict verdict = RuleVerdict::kNone;
  std::string chain;
};

/// A first packet's way through the forward path.
struct ForwardPath {
  std::string ingress;
  std::string device;
};

/// The rules of a chain; an unknown chain has none. References stay valid as long as the lookup itself.
using ChainLookup = std::function<const std::vector<FirewallRule>&(const std::string& chain)>;

enum class ForwardOutcome { kAccepted, kDropped, kPolicy };

/// What a forward chain does with every packet on `path`; kPolicy if no rule plainly settles it. A rule that matches
/// some packets only is no accept and no drop. A jump counts as an accept if its chain plainly accepts, even where
/// the jump itself has conditions: what is not understood must not cause a warning.
ForwardOutcome forward_outcome(const ChainLookup& chains, const std::string& base_chain, const ForwardPath& path);

/// Whether a nat postrouting chain changes the source address of packets on `path`.
bool rewrites_source(const ChainLookup& chains, const std::string& base_chain, const ForwardPath& path);

/// What an iptables target (as an extension, not as a standard verdict) means.
RuleVerdict extension_verdict(const std::string& target);

/// Notes in `rule` what an iptables match extension restricts.
void add_extension_match(FirewallRule& rule, const std::string& match);

}  // namespace limpet::network
