// SPDX-License-Identifier: Apache-2.0
// Keeps the next hops of real servers resolved: the doors send by MAC address and never confirm a neighbour themselves.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "model/address.h"
#include "network/netlink.h"

namespace limpet {

class Neighbours {
 public:
  explicit Neighbours(network::Netlink& netlink) : netlink_(netlink) {}

  // Manages the neighbours that lead to `servers` now, and lets go of the others of ours.
  void keep(const std::vector<Address>& servers);

 private:
  network::Netlink& netlink_;
  std::set<std::pair<int, Address>> kept_;
};

// Lets go of every neighbour that limpet manages in this network namespace.
Result<void> release_neighbours(network::Netlink& netlink);

}  // namespace limpet
