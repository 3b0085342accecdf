// SPDX-License-Identifier: Apache-2.0
// The configuration in the data plane's tables: services, lists and cursors.
#include "dataplane/tables.h"

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "dataplane/clock.h"
#include "dataplane/keys.h"

namespace limpet::dataplane {
namespace {

std::uint64_t published_word(std::uint32_t base, std::size_t count, std::uint32_t generation,
                             limpet_scheduler scheduler) {
  return static_cast<std::uint64_t>(base) << LIMPET_PUBLISHED_BASE_SHIFT |
         static_cast<std::uint64_t>(count) << LIMPET_PUBLISHED_COUNT_SHIFT |
         static_cast<std::uint64_t>(generation) << LIMPET_PUBLISHED_GENERATION_SHIFT |
         static_cast<std::uint64_t>(scheduler) << LIMPET_PUBLISHED_SCHEDULER_SHIFT;
}

limpet_service service_value(std::uint32_t id, const Service& service) {
  limpet_service value{};
  value.id = id;
  value.flags = (service.persistent ? LIMPET_SERVICE_PERSISTENT : 0U) |
                (service.one_packet ? LIMPET_SERVICE_ONE_PACKET : 0U) |
                (service.scheduler_flags & LIMPET_SERVICE_SCHEDULER_FLAGS);
  value.timeout = service.timeout;
  value.mask = service.netmask;
  return value;
}

limpet_scheduler scheduler_of(const Service& service) {
  return static_cast<limpet_scheduler>(*scheduler_from_name(service.scheduler));
}

Error full(const std::string& what, std::size_t ceiling) {
  return {ErrorCode::no_space, "the table of " + what + " is full: its ceiling is " + std::to_string(ceiling)};
}

// Waits until every packet program that runs now has ended: the kernel's synchronize_rcu(), some milliseconds. False:
// this kernel does not offer it (nohz_full).
bool wait_for_packets() { return ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0; }

}  // namespace

Tables::Tables(Object& object)
    : object_(object), bits_(object), reader_(object), space_(static_cast<std::uint32_t>(object.lists.size())) {
  recover();
}

Result<void> Tables::fits(const ConfiguredService& service) {
  if (service.destinations.size() > LIMPET_PUBLISHED_COUNT_MASK)
    return full("the destinations of " + service.service.key.to_string(), LIMPET_PUBLISHED_COUNT_MASK);
  if (has_table(scheduler_of(service.service)) && service.destinations.size() > LIMPET_MOST_PLACES)
    return full("the servers that the scheduler " + service.service.scheduler + " deals to", LIMPET_MOST_PLACES);
  return {};
}

Result<void> Tables::room_for(const ConfiguredService& service) {
  if (auto fit = fits(service); !fit) return fit;
  const auto found = slots_.find(service.service.key);
  if (found == slots_.end() && free_services_.empty()) return full("services", object_.ceilings().services);
  std::size_t fresh = 0;
  for (const Destination& d : service.destinations)
    if (found == slots_.end() || (!found->second.ids.contains(d.key) && !found->second.removed.contains(d.key)))
      ++fresh;
  if (fresh > free_destinations_.size()) return full("destinations", object_.ceilings().destinations - 1);
  const std::uint32_t length = list_entries(service);
  if (space_.has_room(length, ListSpace::Clock::now())) return {};
  // A burst of changes: the room is there, but still waits for packets that may read the old lists.
  if (wait_for_packets()) space_.reclaim_all();
  if (!space_.has_room(length, ListSpace::Clock::now()))
    return full("destination lists (retry in a few seconds)", object_.lists.size());
  return {};
}

std::uint32_t Tables::list_entries(const ConfiguredService& service) {
  return range_length(scheduler_of(service.service), service.destinations.size());
}

Scheduling Tables::scheduling_of(const Service& service) const {
  const limpet_scheduler scheduler = scheduler_of(service);
  return {scheduler, service.scheduler_flags & LIMPET_SERVICE_SCHEDULER_FLAGS,
          scheduler == LIMPET_MAGLEV ? key_ : HashKey{}};
}

Result<Tables::Slot*> Tables::slot_for(const ServiceKey& key) {
  const auto found = slots_.find(key);
  if (found != slots_.end()) return &found->second;
  if (free_services_.empty()) return full("services", object_.ceilings().services);
  Slot slot;
  slot.id = free_services_.back();
  free_services_.pop_back();
  store_word(object_.service_states[slot.id].published, 0);
  store_word(object_.service_states[slot.id].cursor, 0);
  store_word(object_.service_states[slot.id].flags, 0);
  object_.service_residues[slot.id] = {};
  return &slots_.emplace(key, std::move(slot)).first->second;
}

Result<void> Tables::reserve(const ConfiguredService& service) {
  if (auto room = room_for(service); !room) return room;
  auto slot = slot_for(service.service.key);
  if (!slot) return slot.error();
  for (const Destination& d : service.destinations)
    write_destination(take_destination(**slot, service.service.key, d.key), d);
  return {};
}

Result<void> Tables::apply(const ConfiguredService& service, Edit edit) {
  const ServiceKey& key = service.service.key;
  newcomers_.clear();
  if (auto room = room_for(service); !room) return room;
  auto slot = slot_for(key);
  if (!slot) return slot.error();
  Slot& s = **slot;
  const Scheduling scheduling = scheduling_of(service.service);

  if (!key.is_mark()) bits_.add(key.address);
  DestinationList list;
  const bool thresholds = std::any_of(service.destinations.begin(), service.destinations.end(),
                                      [](const Destination& d) { return d.upper_threshold != 0; });
  const std::uint32_t flags =
      (thresholds ? LIMPET_STATE_THRESHOLDS : 0U) | (service.service.one_packet ? LIMPET_STATE_ONE_PACKET : 0U);
  // Set before the list that needs it, cleared behind it.
  if (thresholds) store_word(object_.service_states[s.id].flags, flags);
  for (const Destination& d : service.destinations) {
    const std::uint32_t id = take_destination(s, key, d.key);
    write_destination(id, d);
    list.push_back(listed(id, d.weight));
  }
  if (!s.known || s.scheduler != scheduling.scheduler) {
    edit = Edit::scheduler;
    // What lblc and lblcr have remembered belongs to them, and is not asked again.
    store_word(object_.service_states[s.id].epoch, object_.service_states[s.id].epoch + 1);
  } else if (list != s.list) {
    edit = Edit::destination;
  } else if (has_table(scheduling.scheduler) &&
             ((s.value.flags & LIMPET_SERVICE_SCHEDULER_FLAGS) != scheduling.flags || s.key != scheduling.key)) {
    edit = Edit::scheduler;
  }
  if (auto done = publish(s, list, scheduling, edit); !done) return done;
  store_word(object_.service_states[s.id].flags, flags);
  // Only now: packets that still read the old list may pick a destination that is going.
  discard_unlisted(s, list);
  return write_service(key, s, service.service);
}

void Tables::discard_unlisted(Slot& slot, const DestinationList& list) {
  if (slot.ids.size() == list.size()) return;
  std::unordered_set<std::uint32_t> listed;
  for (const ListedDestination& d : list) listed.insert(d.id);
  std::vector<DestinationKey> gone;
  for (const auto& [destination, id] : slot.ids)
    if (!listed.contains(id)) gone.push_back(destination);
  for (const DestinationKey& destination : gone) discard_destination(slot, destination);
}

Result<void> Tables::publish(Slot& slot, const DestinationList& list, const Scheduling& scheduling, Edit edit) {
  if (edit == Edit::none && slot.length != 0) return {};
  const limpet_scheduler scheduler = scheduling.scheduler;
  const CursorStart start = start_after_edit(scheduler, edit, slot.list, cursor_of(slot), list);
  const std::vector<limpet_list_entry> range = list_range(scheduling, start, list);
  const auto length = static_cast<std::uint32_t>(range.size());
  const auto now = ListSpace::Clock::now();
  const auto base = space_.take(length, now);
  if (!base) return full("destination lists (retry in a few seconds)", object_.lists.size());
  std::copy(range.begin(), range.end(), &object_.lists[*base]);
  const std::uint32_t generation = (slot.generation + 1) & LIMPET_PUBLISHED_GENERATION_MASK;
  store_word(object_.service_states[slot.id].published, published_word(*base, list.size(), generation, scheduler));
  if (slot.length != 0) space_.give_back(slot.base, slot.length, now);
  slot.base = *base;
  slot.length = length;
  slot.generation = generation;
  slot.key = scheduling.key;
  slot.start = start;
  slot.scheduler = scheduler;
  slot.list = list;
  return {};
}

// Where rr or wrr stands: its own word if packets have moved it in this generation, else where the generation began.
CursorStart Tables::cursor_of(const Slot& slot) const {
  const std::uint64_t cursor = load_word(object_.service_states[slot.id].cursor);
  if (slot.length == 0 || cursor >> LIMPET_CURSOR_GENERATION_SHIFT != slot.generation) return slot.start;
  return {static_cast<std::uint32_t>((cursor >> LIMPET_CURSOR_INDEX_SHIFT) & LIMPET_CURSOR_INDEX_MASK),
          static_cast<std::uint32_t>(cursor & LIMPET_CURSOR_VALUE_MASK)};
}

Result<void> Tables::write_service(const ServiceKey& key, Slot& slot, const Service& service) {
  const limpet_service value = service_value(slot.id, service);
  if (slot.known && std::memcmp(&value, &slot.value, sizeof(value)) == 0) return {};
  const limpet_service_key raw = service_key(key);
  if (::bpf_map_update_elem(object_.map_fd("services"), &raw, &value, BPF_ANY) != 0)
    return system_error("cannot write the service " + key.to_string(), errno);
  slot.known = true;
  slot.value = value;
  return {};
}

void Tables::remove(const ServiceKey& key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return;
  Slot& slot = found->second;
  // A service that comes back under this name counts from 0, its servers too (ip_vs_ctl.c, __ip_vs_update_dest():
  // another service than before).
  zero(key);
  const limpet_service_key raw = service_key(key);
  ::bpf_map_delete_elem(object_.map_fd("services"), &raw);
  slot.known = false;
  std::vector<DestinationKey> all;
  for (const auto& [destination, id] : slot.ids) all.push_back(destination);
  for (const DestinationKey& destination : all) discard_destination(slot, destination);
  store_word(object_.service_states[slot.id].published, 0);
  if (slot.length != 0) space_.give_back(slot.base, slot.length, ListSpace::Clock::now());
  slot.length = 0;
  slot.list.clear();
  slot.start = {};
}

void Tables::retain_only(const Configuration& configuration) {
  std::vector<ServiceKey> gone;
  for (const auto& [key, slot] : slots_)
    // Killed within remove(), a former limpetd leaves destinations configured whose service is gone.
    if ((slot.known || !slot.ids.empty()) && configuration.find(key) == nullptr) gone.push_back(key);
  for (const ServiceKey& key : gone) remove(key);
}

void Tables::set_timeouts(const Timeouts& timeouts) {
  limpet_config& c = object_.config[0];
  store_word(c.tcp_timeouts[LIMPET_TCP_ESTABLISHED], timeouts.tcp);
  store_word(c.tcp_timeouts[LIMPET_TCP_FIN_WAIT], timeouts.tcp_fin);
  store_word(c.udp_timeout, timeouts.udp);
}

void Tables::set_tunables(const Tunables& tunables) {
  limpet_config& c = object_.config[0];
  const auto set = [](__u32& word, std::int32_t value) { store_word(word, static_cast<__u32>(value)); };
  set(c.cache_bypass, tunables[tunable("cache_bypass")]);
  set(c.conn_reuse_mode, tunables[tunable("conn_reuse_mode")]);
  set(c.expire_nodest_conn, tunables[tunable("expire_nodest_conn")]);
  set(c.expire_quiescent_template, tunables[tunable("expire_quiescent_template")]);
  set(c.lblc_expiration, tunables[tunable("lblc_expiration")]);
  set(c.lblcr_expiration, tunables[tunable("lblcr_expiration")]);
  set(c.sloppy_tcp, tunables[tunable("sloppy_tcp")]);
  set_flag(LIMPET_COUNT_PACKETS, tunables[tunable("drop_entry")] != 0);
}

void Tables::set_flag(std::uint32_t flag, bool on) {
  limpet_config& c = object_.config[0];
  store_word(c.flags, on ? c.flags | flag : c.flags & ~flag);
}

void Tables::set_defence(bool secure_tcp, std::int32_t rate, bool for_now) {
  constexpr std::uint64_t kAlone = LIMPET_SECONDS_TO_TICKS(10);
  limpet_config& c = object_.config[0];
  set_flag(LIMPET_SECURE_TCP, secure_tcp);
  if (for_now && rate != 0) store_word(object_.drop_counter[0], std::int64_t{rate});
  store_word(c.drop_until, for_now ? ticks_now() + kAlone : ~__u64{0});
  store_word(c.drop_rate, static_cast<__u32>(rate));
}

}  // namespace limpet::dataplane
