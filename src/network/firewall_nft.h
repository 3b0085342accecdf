// SPDX-License-Identifier: Apache-2.0
// The nf_tables chains that marked first packets cross, read from the kernel: native ones and those of iptables-nft.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "network/firewall_nft_rule.h"
#include "network/firewall_nft_socket.h"
#include "network/firewall_rules.h"

namespace limpet::network {

/// A base chain of the families ip and inet, at the forward hook or, of type nat, at the postrouting hook.
struct NftBaseChain {
  std::uint16_t family = 0;  // NFPROTO_IPV4 or NFPROTO_INET
  std::string table;
  std::string name;
  bool nat = false;
  bool policy_drop = false;
};

/// Which ruleset this is: every change of a namespace's ruleset gives it another number.
struct NftGeneration {
  std::uint64_t namespace_cookie = 0;
  std::uint32_t number = 0;
  bool operator==(const NftGeneration&) const = default;
};

class NftRuleset {
 public:
  /// Rules are read for the benefit of packets from `ingress` to `device`.
  NftRuleset(const std::vector<std::string>& ingress, const std::string& device) : ingress_(ingress), device_(device) {}

  /// Nothing without nf_tables or CAP_NET_ADMIN.
  std::optional<NftGeneration> generation();

  /// The base chains in effect (a dormant table's are not). Empty without nf_tables or CAP_NET_ADMIN.
  std::vector<NftBaseChain> base_chains();

  /// The rules of a chain in the table of `base`, read once and only when asked for; a plain accept if they cannot be
  /// read.
  const std::vector<FirewallRule>& rules(const NftBaseChain& base, const std::string& chain);

 private:
  using ChainKey = std::tuple<std::uint16_t, std::string, std::string>;  // family, table, chain

  NftElement find_element(const NftBaseChain& base, const std::string& set, const std::string& key);

  const std::vector<std::string> ingress_;
  const std::string device_;
  NftSocket socket_;
  std::map<ChainKey, std::vector<FirewallRule>> rules_;
};

}  // namespace limpet::network
