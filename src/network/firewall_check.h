// SPDX-License-Identifier: Apache-2.0
// Host settings that would silently keep marked first packets from the mark door, said in plain words.
#pragma once

#include <string>
#include <vector>

namespace limpet::network {

/// One plain sentence: what is wrong and what to do about it.
struct FirewallHazard {
  std::string text;
};

/// Everything in the calling thread's network namespace that would keep marked first packets from `device`: the
/// kernel forwards them there from the interfaces in `ingress`, where clients arrive. Looked at are
///   - IPv4 forward chains (nftables, iptables-nft, iptables-legacy) that drop what goes out of `device`,
///   - source NAT that would change the client's address on the way to `device`,
///   - strict rp_filter together with src_valid_mark, and forwarding switched off, on an ingress interface.
/// Reads only, loads no iptables-legacy table and asks for no set's listing, so it may be called every few seconds.
/// Never fails: what cannot be read (no nf_tables in the kernel, no CAP_NET_ADMIN) is left out. A rule that is not
/// understood never makes a hazard by itself; nor does it count as one that accepts.
std::vector<FirewallHazard> find_mark_hazards(const std::vector<std::string>& ingress,
                                              const std::string& device = "limpet0");

}  // namespace limpet::network
