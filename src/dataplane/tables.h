// SPDX-License-Identifier: Apache-2.0
// The configuration in the data plane's tables: ids, destination lists, cursors; and what the tables say of each
// destination. Recovers its own bookkeeping from adopted tables.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "dataplane/address_bits.h"
#include "dataplane/counter_reader.h"
#include "dataplane/list_range.h"
#include "dataplane/list_space.h"
#include "dataplane/object.h"
#include "dataplane/schedule_cursor.h"
#include "model/configuration.h"
#include "model/result.h"
#include "model/template_record.h"
#include "model/tunables.h"
#include "model/view.h"

namespace limpet::dataplane {

struct DestinationCounts {
  std::uint32_t active = 0;
  std::uint32_t inactive = 0;
  std::uint32_t persistent = 0;
};

// What became of templates that were to be restored.
struct RestoredTemplates {
  std::uint64_t restored = 0;
  std::uint64_t expired = 0;
  std::uint64_t gone = 0;  // of services or servers that are not configured
  std::uint64_t no_room = 0;

  RestoredTemplates& operator+=(const RestoredTemplates& other);
};

class Tables {
 public:
  using Clock = std::chrono::steady_clock;
  // As the kernel's trash: a removed destination that nothing names any more is forgotten after this time; until then
  // it comes back with its counters.
  static constexpr std::chrono::seconds kTrashPeriod{120};

  explicit Tables(Object& object);

  // The secret of the scheduler maglev, for everything that is applied from now on.
  void set_key(const HashKey& key) { key_ = key; }
  const HashKey& key() const { return key_; }
  // That of the services in adopted tables.
  std::optional<HashKey> key_in_use() const;

  // Whether apply(service) would find room; names the table that is full. May wait some milliseconds in a burst of
  // changes.
  Result<void> room_for(const ConfiguredService& service);
  // Whether the tables' format can say it at all.
  static Result<void> fits(const ConfiguredService& service);
  // What its destinations take of the map `lists`.
  static std::uint32_t list_entries(const ConfiguredService& service);
  // Makes the tables carry `service` as it is now, new or changed. Packets see the old or the new, never a mix.
  // `edit`: what the command was about; destinations and schedulers that differ are seen without it.
  Result<void> apply(const ConfiguredService& service, Edit edit = Edit::none);
  // Ids of the destinations that came with the last apply() and count from 0: not those that came back from the trash
  // with what they had counted.
  const std::vector<std::uint32_t>& newcomers() const { return newcomers_; }
  // Gives `service` and its destinations their ids, for restore_templates() to name; packets see neither yet.
  Result<void> reserve(const ConfiguredService& service);
  // Puts templates of former tables into new ones, those whose service and server are there; what is in the tables
  // already stays. Call it before packets come.
  RestoredTemplates restore_templates(std::span<const TemplateRecord> records);
  // Connections and templates stay; the destinations become unavailable.
  void remove(const ServiceKey& key);
  // What adopted tables carry; the order of services is kept only about.
  Configuration configuration() const;
  // Removes every service that `configuration` does not have: after a start with adopted tables.
  void retain_only(const Configuration& configuration);
  void set_timeouts(const Timeouts& timeouts);
  void set_tunables(const Tunables& tunables);
  // The defence in force. `rate`: one new connection's packet of so many is dropped, 0: none. `for_now`: for this
  // second, with the count beginning anew as in the kernel; it ends by itself if limpetd does.
  void set_defence(bool secure_tcp, std::int32_t rate, bool for_now);

  // 0: no such destination configured.
  std::uint32_t destination_id(const ServiceKey& service, const DestinationKey& key) const;
  DestinationCounts counts(std::uint32_t destination) const;
  Counters counters(std::uint32_t destination) const;  // since the last zero()
  // All destinations' in `turns` calls, without a system call for each: those whose turn is `turn`.
  void visit_counters(unsigned turn, unsigned turns,
                      const std::function<void(std::uint32_t destination, const Counters&)>& visit) const;
  Counters residue(const ServiceKey& service) const;  // of destinations that are forgotten
  void zero(const ServiceKey& service);
  std::vector<std::uint32_t> destinations_of(const ServiceKey& service) const;  // configured and removed ones
  // The same for a listing: the configured ones in the order of `service.destinations`, 0 for one that the tables do
  // not have, and then the removed ones.
  std::vector<std::uint32_t> ids_of(const ConfiguredService& service) const;

  // Forgets removed destinations that nothing names any more. Call it every second or so.
  void collect(Clock::time_point now);
  // Addresses of services, and of masqueraded servers, removed ones included.
  std::vector<Address> addresses() const;
  // Real servers that are configured now.
  std::vector<Address> servers() const;
  AddressBits& address_bits() { return bits_; }

 private:
  struct Slot {
    std::uint32_t id = 0;
    bool known = false;  // to the services map
    limpet_service value{};
    limpet_scheduler scheduler = LIMPET_RR;
    std::uint32_t base = 0;  // of its range in lists, header included; no range: length 0
    std::uint32_t length = 0;
    std::uint32_t generation = 0;
    HashKey key;  // that its range was made with
    CursorStart start;
    DestinationList list;
    std::map<DestinationKey, std::uint32_t> ids;      // configured
    std::map<DestinationKey, std::uint32_t> removed;  // in the trash
  };
  using Slots = std::unordered_map<ServiceKey, Slot, ServiceKeyHash>;

  void set_flag(std::uint32_t flag, bool on);
  void recover();
  void recover_services();
  void recover_destinations();
  CursorStart cursor_of(const Slot& slot) const;
  Result<Slot*> slot_for(const ServiceKey& key);
  std::uint32_t take_destination(Slot& slot, const ServiceKey& service, const DestinationKey& key);
  void write_destination(std::uint32_t id, const Destination& destination);
  ListedDestination listed(std::uint32_t id, std::uint32_t weight) const;
  void discard_unlisted(Slot& slot, const DestinationList& list);
  void discard_destination(Slot& slot, const DestinationKey& key);
  void forget_destination(Slot& slot, std::uint32_t id);
  Scheduling scheduling_of(const Service& service) const;
  Result<void> publish(Slot& slot, const DestinationList& list, const Scheduling& scheduling, Edit edit);
  Result<void> write_service(const ServiceKey& key, Slot& slot, const Service& service);
  bool is_referenced(std::uint32_t id) const;

  Object& object_;
  HashKey key_;
  AddressBits bits_;
  CounterReader reader_;
  ListSpace space_;
  Slots slots_;                                   // a deleted service stays as long as it has removed destinations
  std::vector<std::uint32_t> free_services_;      // ids, highest first
  std::vector<std::uint32_t> free_destinations_;  // ids, highest first; 0 is nobody's
  std::uint32_t highest_destination_ = 0;         // that has ever been taken
  std::vector<std::uint32_t> newcomers_;
  std::unordered_map<std::uint32_t, Clock::time_point> idle_since_;  // removed and unreferenced destinations
};

}  // namespace limpet::dataplane
