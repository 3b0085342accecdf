// SPDX-License-Identifier: Apache-2.0
// An nf_tables rule, a little register program, read as conditions and a verdict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "network/firewall_rules.h"

struct nftnl_rule;
struct nftnl_expr;

namespace limpet::network {

/// What a set says about one key.
struct NftElement {
  enum class Presence { kAbsent, kPresent, kUnknown } presence = Presence::kUnknown;
  RuleVerdict verdict = RuleVerdict::kNone;  // of a verdict map
  std::string chain;
};

/// Asks the kernel for one element, never for a whole set.
using ElementLookup = std::function<NftElement(const std::string& set, const std::string& key)>;

/// NF_ACCEPT, NFT_JUMP … as an nf_tables verdict holds them.
RuleVerdict nft_verdict(std::uint32_t code);

/// Reads rules for the benefit of packets from `ingress` to `device`: interface sets are asked for these names only.
class NftRuleReader {
 public:
  NftRuleReader(const std::vector<std::string>& ingress, const std::string& device, ElementLookup elements)
      : ingress_(ingress), device_{device}, elements_(std::move(elements)) {}

  /// Appends what `rule` comes to: nothing if it has no verdict that matters, several for a verdict map.
  void read(nftnl_rule* rule, std::vector<FirewallRule>& out);

 private:
  /// What a register holds, as far as it decides what a comparison with it means.
  enum class Loaded { kOther, kNarrowing, kInputName, kOutputName, kInputIndex, kOutputIndex, kFamily, kEtherType };

  void read_expression(nftnl_expr* expression);
  void read_meta(nftnl_expr* expression);
  void read_connection(nftnl_expr* expression);
  void read_payload(nftnl_expr* expression);
  void read_bitwise(nftnl_expr* expression);
  void read_compare(nftnl_expr* expression);
  void read_range(nftnl_expr* expression);
  void read_lookup(nftnl_expr* expression);
  void read_interface_set(nftnl_expr* expression, Loaded loaded, const std::string& set, bool verdict_map);
  void read_immediate(nftnl_expr* expression);

  Loaded loaded(std::uint32_t register_number) const;
  void add_unknown_condition(Loaded loaded);
  void add_interface_compare(Loaded loaded, const std::string& data, bool negated);

  const std::vector<std::string> ingress_;
  const std::vector<std::string> device_;
  const ElementLookup elements_;

  std::map<std::uint32_t, Loaded> registers_;
  FirewallRule rule_;
  std::vector<FirewallRule>* out_ = nullptr;
};

}  // namespace limpet::network
