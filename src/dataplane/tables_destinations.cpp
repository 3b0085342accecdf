// SPDX-License-Identifier: Apache-2.0
// The configuration in the data plane's tables: destinations, the trash and counters.
#include <algorithm>
#include <utility>

#include "dataplane/clock.h"
#include "dataplane/keys.h"
#include "dataplane/overload.h"
#include "dataplane/tables.h"

namespace limpet::dataplane {

// The id of `key`: configured, revived from the trash with its connections and counters, or new.
std::uint32_t Tables::take_destination(Slot& slot, const ServiceKey& service, const DestinationKey& key) {
  if (const auto found = slot.ids.find(key); found != slot.ids.end()) {
    object_.destinations[found->second].service_id = slot.id;
    return found->second;
  }
  std::uint32_t id = 0;
  if (const auto removed = slot.removed.find(key); removed != slot.removed.end()) {
    id = removed->second;
    slot.removed.erase(removed);
    idle_since_.erase(id);
    object_.destinations[id].last_weight = 0;
    if (counters(id) == Counters{}) newcomers_.push_back(id);
  } else {
    id = free_destinations_.back();  // room_for() has been asked
    free_destinations_.pop_back();
    highest_destination_ = std::max(highest_destination_, id);
    // In tables of our own making one that has never been anybody's counts from 0 anyway.
    if (object_.adopted() || object_.destinations[id].born != 0) reader_.clear(id);
    object_.counts[id] = {};
    object_.counter_bases[id] = {};
    object_.destinations[id] = {};
    object_.destinations[id].service = service_key(service);
    // A little before, since packets read a coarser clock; what named the id last is older by the trash period.
    object_.destinations[id].born = ticks_now() - LIMPET_TICKS_PER_SECOND;
    newcomers_.push_back(id);
  }
  object_.destinations[id].service_id = slot.id;
  slot.ids.emplace(key, id);
  return id;
}

void Tables::write_destination(std::uint32_t id, const Destination& destination) {
  limpet_destination& d = object_.destinations[id];
  put_address(d.address, destination.key.address);
  d.port = htons(destination.key.port.value);
  d.family = static_cast<std::uint8_t>(destination.key.address.family());
  d.method = static_cast<std::uint8_t>(destination.method);
  d.nexthop = id;
  d.tunnel_type = static_cast<std::uint8_t>(destination.tunnel.type);
  d.tunnel_port = htons(destination.tunnel.port.value);
  d.tunnel_flags = destination.tunnel.flags;
  // As in the kernel it is told of an -a, but of an -e only if that is not 0 (ip_vs_ctl.c, __ip_vs_update_dest()).
  if (destination.weight != 0) d.last_weight = destination.weight;
  store_word(d.weight, destination.weight);
  store_word(d.upper_threshold, destination.upper_threshold);
  store_word(d.lower_threshold, destination.lower_threshold);
  judge_overload(d, object_.counts[id]);
  store_word(d.flags, LIMPET_DESTINATION_USED | LIMPET_DESTINATION_AVAILABLE);
  if (destination.method == ForwardingMethod::masq) bits_.add(destination.key.address);
}

ListedDestination Tables::listed(std::uint32_t id, std::uint32_t weight) const {
  const limpet_destination& d = object_.destinations[id];
  return {id, weight, weight == 0 ? d.last_weight : weight, get_address(d.address, d.family), port_of(d.port)};
}

void Tables::discard_destination(Slot& slot, const DestinationKey& key) {
  const auto found = slot.ids.find(key);
  if (found == slot.ids.end()) return;
  store_word(object_.destinations[found->second].flags, LIMPET_DESTINATION_USED);
  slot.removed.emplace(key, found->second);
  slot.ids.erase(found);
}

bool Tables::is_referenced(std::uint32_t id) const {
  const limpet_counts& c = object_.counts[id];
  return __atomic_load_n(&c.total, __ATOMIC_SEQ_CST) > 0 || __atomic_load_n(&c.persistent, __ATOMIC_SEQ_CST) > 0;
}

void Tables::forget_destination(Slot& slot, std::uint32_t id) {
  if (slot.known) {
    Counters sum = to_model(object_.service_residues[slot.id]);
    sum += counters(id);
    object_.service_residues[slot.id] = from_model(sum);
  }
  store_word(object_.destinations[id].flags, 0U);
  idle_since_.erase(id);
  free_destinations_.push_back(id);
}

void Tables::collect(Clock::time_point now) {
  for (auto slot = slots_.begin(); slot != slots_.end();) {
    Slot& s = slot->second;
    for (auto removed = s.removed.begin(); removed != s.removed.end();) {
      const std::uint32_t id = removed->second;
      if (is_referenced(id)) {
        idle_since_.erase(id);
        ++removed;
      } else if (now - idle_since_.try_emplace(id, now).first->second < kTrashPeriod) {
        ++removed;
      } else {
        forget_destination(s, id);
        removed = s.removed.erase(removed);
      }
    }
    if (!s.known && s.removed.empty()) {
      free_services_.push_back(s.id);
      slot = slots_.erase(slot);
    } else {
      ++slot;
    }
  }
}

std::uint32_t Tables::destination_id(const ServiceKey& service, const DestinationKey& key) const {
  const auto slot = slots_.find(service);
  if (slot == slots_.end()) return 0;
  const auto id = slot->second.ids.find(key);
  return id == slot->second.ids.end() ? 0 : id->second;
}

DestinationCounts Tables::counts(std::uint32_t destination) const {
  const limpet_counts& c = object_.counts[destination];
  const auto total = std::max(0, __atomic_load_n(&c.total, __ATOMIC_RELAXED));
  const auto active = std::clamp(__atomic_load_n(&c.active, __ATOMIC_RELAXED), 0, total);
  const auto persistent = std::max(0, __atomic_load_n(&c.persistent, __ATOMIC_RELAXED));
  return {static_cast<std::uint32_t>(active), static_cast<std::uint32_t>(total - active),
          static_cast<std::uint32_t>(persistent)};
}

Counters Tables::counters(std::uint32_t destination) const {
  Counters now = reader_.read(destination);
  now -= to_model(object_.counter_bases[destination]);
  return now;
}

void Tables::visit_counters(unsigned turn, unsigned turns,
                            const std::function<void(std::uint32_t, const Counters&)>& visit) const {
  constexpr std::uint32_t kBlock = 64;
  const auto is_used = [this](std::uint32_t id) {
    return (object_.destinations[id].flags & LIMPET_DESTINATION_USED) != 0;
  };
  for (std::uint32_t block = turn; block * kBlock <= highest_destination_; block += turns) {
    const std::uint32_t first = std::max(1U, block * kBlock);
    const std::uint32_t end = std::min((block + 1) * kBlock, highest_destination_ + 1);
    bool any = false;
    for (std::uint32_t id = first; id < end && !any; ++id) any = is_used(id);
    if (!any) continue;
    const std::vector<Counters> counters = reader_.read_range(first, end - first);
    for (std::uint32_t i = 0; i < counters.size(); ++i) {
      if (!is_used(first + i)) continue;
      Counters now = counters[i];
      now -= to_model(object_.counter_bases[first + i]);
      visit(first + i, now);
    }
  }
}

Counters Tables::residue(const ServiceKey& service) const {
  const auto slot = slots_.find(service);
  if (slot == slots_.end()) return {};
  Counters sum = to_model(object_.service_residues[slot->second.id]);
  for (const auto& [key, id] : slot->second.removed) sum += counters(id);
  return sum;
}

void Tables::zero(const ServiceKey& service) {
  const auto slot = slots_.find(service);
  if (slot == slots_.end()) return;
  for (const std::uint32_t id : destinations_of(service)) object_.counter_bases[id] = from_model(reader_.read(id));
  object_.service_residues[slot->second.id] = {};
}

std::vector<std::uint32_t> Tables::destinations_of(const ServiceKey& service) const {
  std::vector<std::uint32_t> all;
  const auto slot = slots_.find(service);
  if (slot == slots_.end()) return all;
  for (const auto& [key, id] : slot->second.ids) all.push_back(id);
  for (const auto& [key, id] : slot->second.removed) all.push_back(id);
  return all;
}

std::vector<std::uint32_t> Tables::ids_of(const ConfiguredService& service) const {
  std::vector<std::uint32_t> all(service.destinations.size());
  const auto slot = slots_.find(service.service.key);
  if (slot == slots_.end()) return all;
  const Slot& s = slot->second;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (const auto id = s.ids.find(service.destinations[i].key); id != s.ids.end()) all[i] = id->second;
  for (const auto& [key, id] : s.removed) all.push_back(id);
  return all;
}

std::vector<Address> Tables::addresses() const {
  std::vector<Address> all;
  for (const auto& [key, slot] : slots_) {
    if (slot.known && !key.is_mark()) all.push_back(key.address);
    for (const auto& ids : {&slot.ids, &slot.removed})
      for (const auto& [destination, id] : *ids)
        if (object_.destinations[id].method == LIMPET_MASQ) all.push_back(destination.address);
  }
  return all;
}

std::vector<Address> Tables::servers() const {
  std::vector<Address> all;
  for (const auto& [key, slot] : slots_)
    for (const auto& [destination, id] : slot.ids) all.push_back(destination.address);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace limpet::dataplane
