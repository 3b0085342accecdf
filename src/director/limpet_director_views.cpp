// SPDX-License-Identifier: Apache-2.0
// The director: what it shows.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "dataplane/connection_walk.h"
#include "director/limpet_director.h"
#include "director/unload.h"
#include "network/namespace_cookie.h"

namespace limpet {
namespace {

class WalkCursor : public ConnectionCursor {
 public:
  explicit WalkCursor(const dataplane::Object& object) : walk_(object) {}
  Result<std::vector<ConnectionView>> next(std::size_t limit) override { return walk_.next(limit); }

 private:
  dataplane::ConnectionWalk walk_;
};

// What the data plane counts as a whole, and what to say when it happens.
struct EventText {
  limpet_event event;
  const char* text;
};
constexpr EventText kEvents[] = {
    {LIMPET_EVENT_FLOWS_FULL,
     "the table of connections is full: new ones are forwarded by a hash, without an entry; raise tables.flows"},
    {LIMPET_EVENT_TEMPLATES_FULL,
     "the table of persistence templates is full: clients are spread by a hash; raise tables.templates"},
    {LIMPET_EVENT_REVERSE_FULL,
     "the table of masqueraded connections is full: new ones are dropped; raise tables.flows"},
};

}  // namespace

ServiceView LimpetDirector::view(const ConfiguredService& service) const {
  const ServiceKey& key = service.service.key;
  ServiceView out;
  out.service = service.service;
  out.counters = tables_->residue(key);
  Estimator sum;
  for (const Destination& destination : service.destinations) {
    const std::uint32_t id = tables_->destination_id(key, destination.key);
    const dataplane::DestinationCounts counts = tables_->counts(id);
    DestinationView d{destination, counts.active, counts.inactive, counts.persistent, tables_->counters(id), {}};
    if (const auto rate = rates_.find(id); rate != rates_.end()) {
      d.rates = rate->second.rates();
      sum += rate->second;
    }
    out.counters += d.counters;
    out.destinations.push_back(d);
  }
  out.rates = sum.rates();
  return out;
}

// A copy, so that a listing is of one table and not of parts of two: 10 ms with ten thousand services of ten servers.
class SnapshotCursor : public ServiceCursor {
 public:
  explicit SnapshotCursor(const LimpetDirector& director)
      : director_(director), services_(director.configuration_.services()) {}
  std::optional<ServiceView> next() override {
    if (services_.empty()) return std::nullopt;
    ServiceView view = director_.view(services_.front());
    services_.pop_front();
    return view;
  }

 private:
  const LimpetDirector& director_;
  Configuration::Services services_;
};

std::unique_ptr<ServiceCursor> LimpetDirector::services() { return std::make_unique<SnapshotCursor>(*this); }

Result<ServiceView> LimpetDirector::service(const ServiceKey& key) {
  const ConfiguredService* found = configuration_.find(key);
  if (found == nullptr) return Error{ErrorCode::no_such_service, "there is no service " + key.to_string()};
  return view(*found);
}

std::unique_ptr<ConnectionCursor> LimpetDirector::connections() { return std::make_unique<WalkCursor>(*object_); }

Status LimpetDirector::status() {
  const dataplane::SweepStatus& sweep = sweeper_->status();
  const dataplane::Ceilings& ceilings = object_->ceilings();
  Status out;
  out.version = LIMPET_VERSION;
  out.abi = LIMPET_ABI_VERSION;
  out.network_namespace = network::network_namespace_cookie();
  out.doors = host_->doors();
  std::uint64_t destinations = 0;
  for (const ConfiguredService& service : configuration_.services()) destinations += service.destinations.size();
  out.tables = {{"connections", sweep.flows, ceilings.flows},
                {"templates", sweep.templates, ceilings.templates},
                {"services", configuration_.services().size(), ceilings.services},
                {"destinations", destinations, ceilings.destinations - 1}};
  out.sweep_pass_ms = static_cast<std::uint64_t>(sweep.last_pass.count());
  out.warnings = host_->hazards();
  for (const SyncDaemon& daemon : configuration_.sync_daemons())
    out.warnings.push_back(
        fmt::format("the {} synchronisation daemon on {} is kept and listed, but connections are not "
                    "synchronised yet",
                    daemon.role == SyncRole::master ? "master" : "backup", daemon.interface));
  out.warnings.insert(out.warnings.end(), table_warnings_.begin(), table_warnings_.end());
  return out;
}

// Said once when it begins, not per packet.
void LimpetDirector::log_events() {
  const dataplane::CounterReader reader(*object_);
  events_seen_.resize(LIMPET_EVENTS);
  std::vector<std::string> now;
  for (const EventText& e : kEvents) {
    const std::uint64_t count = reader.event(e.event);
    if (count > events_seen_[e.event]) now.emplace_back(e.text);
    events_seen_[e.event] = count;
  }
  for (const std::string& text : now)
    if (std::find(table_warnings_.begin(), table_warnings_.end(), text) == table_warnings_.end())
      spdlog::warn("{}", text);
  table_warnings_ = std::move(now);
}

Result<void> LimpetDirector::unload() {
  // Doors and rules first, while the tables still stand behind them.
  unloaded_ = true;
  return unload_leftovers(options_.run_directory);
}

}  // namespace limpet
