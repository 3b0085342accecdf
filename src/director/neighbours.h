// SPDX-License-Identifier: Apache-2.0
// Keeps the next hops of real servers resolved: the doors send by MAC address and never confirm a neighbour themselves.
#pragma once

#include <chrono>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "model/address.h"
#include "network/netlink.h"

namespace limpet {

class Neighbours {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Neighbours(network::Netlink& netlink) : netlink_(netlink) {}

  // Begins a round: the neighbours that lead to `servers` now are to be managed, and no others of ours.
  void begin(std::vector<Address> servers);
  bool is_busy() const { return busy_; }
  // Goes on with the round for about `budget`: each server costs the kernel a question.
  void step(std::chrono::microseconds budget);

 private:
  using Hop = std::pair<int, Address>;  // interface and neighbour

  void take_former();
  void keep_way_to(const Address& server);
  void end();
  void let_go();

  network::Netlink& netlink_;
  bool took_former_ = false;
  bool busy_ = false;
  std::vector<Address> servers_;
  std::size_t position_ = 0;
  std::set<Hop> wanted_;  // of this round
  std::set<Hop> kept_;
};

// Lets go of every neighbour that limpet manages in this network namespace.
Result<void> release_neighbours(network::Netlink& netlink);

}  // namespace limpet
