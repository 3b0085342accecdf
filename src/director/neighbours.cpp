// SPDX-License-Identifier: Apache-2.0
// Keeps the next hops of real servers resolved.
#include "director/neighbours.h"

#include <spdlog/spdlog.h>

namespace limpet {

void Neighbours::keep(const std::vector<Address>& servers) {
  std::set<std::pair<int, Address>> wanted;
  for (const Address& server : servers) {
    const auto hop = netlink_.next_hop(server);
    if (!hop || hop->local || hop->interface == 0) continue;
    wanted.emplace(hop->interface, hop->gateway.value_or(server));
  }
  for (const auto& [interface, address] : wanted) {
    if (const auto done = netlink_.keep_neighbour(interface, address); !done)
      spdlog::debug("neighbour {}: {}", address.to_string(), done.error().text);
  }
  for (const auto& [interface, address] : kept_)
    if (!wanted.contains({interface, address})) (void)netlink_.delete_neighbour(interface, address);
  kept_ = std::move(wanted);
}

Result<void> release_neighbours(network::Netlink& netlink) {
  const auto all = netlink.neighbours(Family::ipv4);
  if (!all) return all.error();
  for (const network::Neighbour& neighbour : *all)
    if (neighbour.managed && neighbour.protocol == network::kRouteProtocol)
      if (auto done = netlink.delete_neighbour(neighbour.interface, neighbour.address); !done) return done;
  return {};
}

}  // namespace limpet
