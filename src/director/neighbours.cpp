// SPDX-License-Identifier: Apache-2.0
// Keeps the next hops of real servers resolved.
#include "director/neighbours.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace limpet {
namespace {

bool is_ours(const network::Neighbour& neighbour) {
  return neighbour.managed && neighbour.protocol == network::kRouteProtocol;
}

}  // namespace

void Neighbours::begin(std::vector<Address> servers) {
  if (!took_former_) take_former();
  servers_ = std::move(servers);
  position_ = 0;
  wanted_.clear();
  busy_ = true;
}

// Those that a former limpetd managed, for servers which may be gone by now.
void Neighbours::take_former() {
  const auto all = netlink_.neighbours(Family::ipv4);
  if (!all) return;
  for (const network::Neighbour& neighbour : *all)
    if (is_ours(neighbour)) kept_.emplace(neighbour.interface, neighbour.address);
  took_former_ = true;
}

void Neighbours::step(std::chrono::microseconds budget) {
  if (!busy_) return;
  const auto end_of_turn = Clock::now() + budget;
  while (position_ < servers_.size()) {
    keep_way_to(servers_[position_++]);
    if (Clock::now() >= end_of_turn) return;
  }
  end();
}

void Neighbours::keep_way_to(const Address& server) {
  const auto hop = netlink_.next_hop(server);
  if (!hop || hop->local || hop->interface == 0) return;
  const Address neighbour = hop->gateway.value_or(server);
  if (!wanted_.emplace(hop->interface, neighbour).second) return;
  if (const auto done = netlink_.keep_neighbour(hop->interface, neighbour); !done)
    spdlog::debug("neighbour {}: {}", neighbour.to_string(), done.error().text);
}

void Neighbours::end() {
  if (std::any_of(kept_.begin(), kept_.end(), [&](const Hop& kept) { return !wanted_.contains(kept); })) let_go();
  kept_ = std::move(wanted_);
  busy_ = false;
}

// Of what leads to servers that have gone. It may have been an administrator's own entry all the time, or have become
// one. What cannot be asked now is asked again when a server goes next.
void Neighbours::let_go() {
  const auto all = netlink_.neighbours(Family::ipv4);
  if (!all) return wanted_.merge(kept_);
  for (const network::Neighbour& neighbour : *all) {
    const Hop hop{neighbour.interface, neighbour.address};
    if (is_ours(neighbour) && kept_.contains(hop) && !wanted_.contains(hop))
      (void)netlink_.delete_neighbour(neighbour.interface, neighbour.address);
  }
}

Result<void> release_neighbours(network::Netlink& netlink) {
  const auto all = netlink.neighbours(Family::ipv4);
  if (!all) return all.error();
  for (const network::Neighbour& neighbour : *all)
    if (is_ours(neighbour))
      if (auto done = netlink.delete_neighbour(neighbour.interface, neighbour.address); !done) return done;
  return {};
}

}  // namespace limpet
