// SPDX-License-Identifier: Apache-2.0
// The IPv4 rules of iptables-legacy, read from the kernel without loading a table that is not there yet.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "network/firewall_rules.h"

namespace limpet::network {

/// One built-in chain and every chain it may jump to.
struct LegacyChain {
  std::string base;  // key of the built-in chain in `chains`
  bool policy_drop = false;
  std::map<std::string, std::vector<FirewallRule>> chains;
};

/// Tables present in the calling thread's network namespace: "filter", "nat" …
std::vector<std::string> legacy_tables();

/// The chain of `table` at `hook` (NF_INET_FORWARD …); nothing if it cannot be read. `table` must be one of
/// legacy_tables(): the kernel would create any other table by being asked for it.
std::optional<LegacyChain> read_legacy_chain(const std::string& table, unsigned hook);

}  // namespace limpet::network
