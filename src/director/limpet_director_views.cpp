// SPDX-License-Identifier: Apache-2.0
// The director: what it shows.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "dataplane/connection_walk.h"
#include "dataplane/explainer.h"
#include "dataplane/remaining_walk.h"
#include "dataplane/session_walk.h"
#include "director/limpet_director.h"
#include "director/turn.h"
#include "director/unload.h"
#include "network/namespace_cookie.h"

namespace limpet {
namespace {

class WalkCursor : public ConnectionCursor {
 public:
  explicit WalkCursor(const dataplane::Object& object) : walk_(object) {}
  Result<std::optional<std::vector<ConnectionView>>> next(std::size_t limit) override { return walk_.next(limit); }

 private:
  dataplane::ConnectionWalk walk_;
};

class SessionWalkCursor : public SessionCursor {
 public:
  SessionWalkCursor(const dataplane::Object& object, const Configuration& configuration, const SessionFilter& filter)
      : configuration_(configuration), walk_(object, filter) {}

  Result<std::optional<std::vector<SessionView>>> next(std::size_t limit) override {
    auto piece = walk_.next(limit);
    if (!piece) return piece;
    for (SessionView& session : *piece)
      if (const auto* service = configuration_.find(session.service)) session.scheduler = service->service.scheduler;
    return piece;
  }

 private:
  const Configuration& configuration_;
  dataplane::SessionWalk walk_;
};

class RemainingTally : public Tally {
 public:
  RemainingTally(const dataplane::Object& object, const SessionFilter& filter) : walk_(object, filter) {}

  std::optional<Remaining> look() override {
    constexpr std::size_t kEntriesAPiece = 2048;
    const Turn turn;
    while (walk_.next(kEntriesAPiece))
      if (turn.over()) return std::nullopt;
    return walk_.seen();
  }

 private:
  dataplane::RemainingWalk walk_;
};

}  // namespace

ServiceView LimpetDirector::view(const ConfiguredService& service) const {
  const ServiceKey& key = service.service.key;
  ServiceView out;
  out.service = service.service;
  out.counters = tables_->residue(key);
  out.destinations.reserve(service.destinations.size());
  const std::vector<std::uint32_t> ids = tables_->ids_of(service);
  for (std::size_t i = 0; i < service.destinations.size(); ++i) {
    const dataplane::DestinationCounts counts = tables_->counts(ids[i]);
    DestinationView d{
        service.destinations[i], counts.active, counts.inactive, counts.persistent, tables_->counters(ids[i]), {}};
    if (const auto rate = rates_.find(ids[i]); rate != rates_.end()) d.rates = rate->second.rates();
    out.counters += d.counters;
    out.destinations.push_back(d);
  }
  // Removed servers as well: their share fades, as in the service's own estimator in the kernel.
  Estimator sum;
  for (const std::uint32_t id : ids)
    if (const auto rate = rates_.find(id); rate != rates_.end()) sum += rate->second;
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

std::unique_ptr<SessionCursor> LimpetDirector::sessions(const SessionFilter& filter) {
  return std::make_unique<SessionWalkCursor>(*object_, configuration_, filter);
}

std::unique_ptr<Tally> LimpetDirector::remaining(const SessionFilter& filter) {
  return std::make_unique<RemainingTally>(*object_, filter);
}

Result<Explanation> LimpetDirector::explain(const ExplainQuestion& question) {
  const bool is_ipv4 = question.client.family() == Family::ipv4 && question.virtual_address.family() == Family::ipv4;
  if (!is_ipv4) return Error{ErrorCode::not_supported, "limpet cannot carry IPv6 yet"};
  ExplainQuestion as_led = question;
  as_led.led = question.mark.value != 0 && host_->leads(question);
  auto explanation = dataplane::explain(*object_, as_led);
  if (!explanation || !explanation->service) return explanation;
  const ConfiguredService* service = configuration_.find(*explanation->service);
  if (service == nullptr) return explanation;
  explanation->scheduler = service->service.scheduler;
  explanation->hashes = hashed_by(service->service);
  for (const Destination& destination : service->destinations)
    if (destination.weight == 0) explanation->weight_0.push_back(destination.key);
  return explanation;
}

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
  out.sweep_lag_ms = static_cast<std::uint64_t>(sweep.lag.count());
  out.warnings = host_->hazards();
  for (const SyncDaemon& daemon : configuration_.sync_daemons())
    out.warnings.push_back(
        fmt::format("the {} synchronisation daemon on {} is kept and listed, but connections are not "
                    "synchronised yet",
                    daemon.role == SyncRole::master ? "master" : "backup", daemon.interface));
  const auto defence = defence_.sentences();
  out.warnings.insert(out.warnings.end(), defence.begin(), defence.end());
  const auto full = full_tables_.sentences(FullTables::Clock::now());
  out.warnings.insert(out.warnings.end(), full.begin(), full.end());
  return out;
}

void LimpetDirector::look_for_full_tables() {
  const dataplane::CounterReader reader(*object_);
  const dataplane::SweepStatus& sweep = sweeper_->status();
  FullTables::Seen seen;
  for (std::size_t event = 0; event < seen.events.size(); ++event)
    seen.events[event] = reader.event(static_cast<limpet_event>(event));
  seen.flows_have_room = sweep.flows < object_->ceilings().flows;
  seen.templates_have_room = sweep.templates < object_->ceilings().templates;
  for (const std::string& text : full_tables_.update(seen, FullTables::Clock::now(), FullTables::WallClock::now()))
    spdlog::warn("{}", text);
}

Result<void> LimpetDirector::unload() {
  // Doors and rules first, while the tables still stand behind them.
  unloaded_ = true;
  auto done = unload_leftovers(options_.run_directory);
  // As the journal, templates stay for a limpetd that is started again: now that no packet makes another. What holds
  // the tables is this process.
  write_last_snapshot();
  return done;
}

}  // namespace limpet
