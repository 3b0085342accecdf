// SPDX-License-Identifier: Apache-2.0
// What adopted tables say: the bookkeeping of Tables, and the configuration they carry.
#include <bpf/bpf.h>

#include <algorithm>
#include <utility>

#include "dataplane/keys.h"
#include "dataplane/tables.h"

namespace limpet::dataplane {
namespace {

constexpr const char* kSchedulerNames[] = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh",    "sh",
                                           "mh", "sed", "nq", "fo",  "ovf",  "twos",  "maglev"};

Service to_model(const ServiceKey& key, const limpet_service& value, limpet_scheduler scheduler) {
  Service service;
  service.key = key;
  service.scheduler = scheduler <= LIMPET_MAGLEV ? kSchedulerNames[scheduler] : "wlc";
  service.persistent = (value.flags & LIMPET_SERVICE_PERSISTENT) != 0;
  service.one_packet = (value.flags & LIMPET_SERVICE_ONE_PACKET) != 0;
  service.scheduler_flags = value.flags & LIMPET_SERVICE_SCHEDULER_FLAGS;
  service.timeout = value.timeout;
  service.netmask = value.mask;
  return service;
}

Destination to_model(const limpet_destination& d) {
  Destination destination;
  destination.key = {get_address(d.address, d.family), port_of(d.port)};
  destination.method = static_cast<ForwardingMethod>(d.method);
  destination.weight = d.weight;
  destination.upper_threshold = d.upper_threshold;
  destination.lower_threshold = d.lower_threshold;
  destination.tunnel = {static_cast<TunnelType>(d.tunnel_type), port_of(d.tunnel_port), d.tunnel_flags};
  return destination;
}

}  // namespace

Configuration Tables::configuration() const {
  std::vector<std::pair<const ServiceKey*, const Slot*>> services;
  for (const auto& [key, slot] : slots_)
    if (slot.known) services.emplace_back(&key, &slot);
  // Ids are given lowest first: about the order in which the services came.
  std::sort(services.begin(), services.end(),
            [](const auto& left, const auto& right) { return left.second->id < right.second->id; });
  Configuration configuration;
  const auto add = [&configuration](const Command& command) {
    if (configuration.check(command)) configuration.apply(command);
  };
  for (const auto& [key, slot] : services) {
    add(AddService{to_model(*key, slot->value, slot->scheduler)});
    // The list is the kernel's, the last one added first.
    for (auto listed = slot->list.rbegin(); listed != slot->list.rend(); ++listed)
      add(AddDestination{*key, to_model(object_.destinations[listed->id])});
  }
  const limpet_config& c = object_.config[0];
  add(SetTimeouts{{c.tcp_timeouts[LIMPET_TCP_ESTABLISHED], c.tcp_timeouts[LIMPET_TCP_FIN_WAIT], c.udp_timeout}});
  Tunables tunables;
  tunables[tunable("cache_bypass")] = static_cast<std::int32_t>(c.cache_bypass);
  tunables[tunable("conn_reuse_mode")] = static_cast<std::int32_t>(c.conn_reuse_mode);
  tunables[tunable("expire_nodest_conn")] = static_cast<std::int32_t>(c.expire_nodest_conn);
  tunables[tunable("expire_quiescent_template")] = static_cast<std::int32_t>(c.expire_quiescent_template);
  // 0: of a limpetd that did not know them.
  if (c.lblc_expiration != 0) tunables[tunable("lblc_expiration")] = static_cast<std::int32_t>(c.lblc_expiration);
  if (c.lblcr_expiration != 0) tunables[tunable("lblcr_expiration")] = static_cast<std::int32_t>(c.lblcr_expiration);
  tunables[tunable("sloppy_tcp")] = static_cast<std::int32_t>(c.sloppy_tcp);
  add(SetTunables{changed_settings(tunables)});
  return configuration;
}

std::optional<HashKey> Tables::key_in_use() const {
  for (const auto& [key, slot] : slots_)
    if (slot.known && slot.scheduler == LIMPET_MAGLEV && !slot.list.empty()) return slot.key;
  return std::nullopt;
}

void Tables::recover() {
  recover_services();
  std::vector<bool> used(object_.service_states.size());
  for (const auto& [key, slot] : slots_) used[slot.id] = true;
  for (std::size_t id = used.size(); id-- > 0;)
    if (!used[id]) free_services_.push_back(static_cast<std::uint32_t>(id));
  recover_destinations();
}

void Tables::recover_services() {
  const int fd = object_.map_fd("services");
  limpet_service_key key{};
  const limpet_service_key* before = nullptr;
  limpet_service_key current{};
  while (::bpf_map_get_next_key(fd, before, &key) == 0) {
    current = key;
    before = &current;
    Slot slot;
    if (::bpf_map_lookup_elem(fd, &current, &slot.value) != 0) continue;
    slot.id = slot.value.id;
    slot.known = true;
    const std::uint64_t word = load_word(object_.service_states[slot.id].published);
    const auto count = static_cast<std::uint32_t>((word >> LIMPET_PUBLISHED_COUNT_SHIFT) & LIMPET_PUBLISHED_COUNT_MASK);
    slot.generation = (word >> LIMPET_PUBLISHED_GENERATION_SHIFT) & LIMPET_PUBLISHED_GENERATION_MASK;
    slot.scheduler = static_cast<limpet_scheduler>(word >> LIMPET_PUBLISHED_SCHEDULER_SHIFT);
    if (word != 0) {
      slot.base = static_cast<std::uint32_t>(word & LIMPET_PUBLISHED_BASE_MASK);
      slot.length = range_length(slot.scheduler, count);
      space_.occupy(slot.base, slot.length);
      slot.start = {object_.lists[slot.base].first, object_.lists[slot.base].second};
      for (std::uint32_t i = 0; i < count; ++i) {
        const limpet_list_entry& entry = object_.lists[slot.base + LIMPET_LIST_HEADER + i];
        slot.list.push_back(listed(entry.first, entry.second));
      }
      if (slot.scheduler == LIMPET_MAGLEV && count != 0)
        slot.key = key_of_range({&object_.lists[slot.base], slot.length});
    }
    slots_.emplace(service_key(current), std::move(slot));
  }
}

void Tables::recover_destinations() {
  for (auto id = static_cast<std::uint32_t>(object_.destinations.size()); id-- > 1;) {
    const limpet_destination& d = object_.destinations[id];
    if ((d.flags & LIMPET_DESTINATION_USED) == 0) {
      free_destinations_.push_back(id);
      continue;
    }
    highest_destination_ = std::max(highest_destination_, id);
    auto slot = slot_for(service_key(d.service));
    if (!slot) continue;
    const DestinationKey key{get_address(d.address, d.family), port_of(d.port)};
    auto& ids = (d.flags & LIMPET_DESTINATION_AVAILABLE) != 0 ? (*slot)->ids : (*slot)->removed;
    ids.emplace(key, id);
  }
}

}  // namespace limpet::dataplane
