// SPDX-License-Identifier: Apache-2.0
// The director: start, commands, time.
#include "director/limpet_director.h"

#include <spdlog/spdlog.h>

#include <span>
#include <type_traits>
#include <utility>

#include "dataplane/bpffs.h"
#include "dataplane/template_walk.h"
#include "model/carried.h"

namespace limpet {
namespace {

constexpr unsigned kTicksPerSecond = 1000 / LimpetDirector::kTick.count();
constexpr std::chrono::microseconds kNeighbourBudget{2000};  // a tick
constexpr std::chrono::microseconds kSnapshotBudget{2000};
constexpr unsigned kSnapshotSeconds = 10;  // from the beginning of one to that of the next

}  // namespace

Result<std::unique_ptr<LimpetDirector>> LimpetDirector::start(const DirectorOptions& options) {
  std::unique_ptr<LimpetDirector> director(new LimpetDirector(options));
  if (auto prepared = director->prepare(); !prepared) return prepared.error();
  return director;
}

LimpetDirector::~LimpetDirector() = default;

Result<void> LimpetDirector::prepare() {
  const auto pins = options_.run_directory / "bpf";
  if (auto mounted = dataplane::ensure_bpffs(pins); !mounted) return mounted;
  auto host = Host::open(options_);
  if (!host) return host.error();
  host_ = std::move(*host);
  auto object = dataplane::Object::open(pins, options_.ceilings, host_->attached_program());
  if (!object) return object.error();
  object_ = std::make_unique<dataplane::Object>(std::move(*object));
  spdlog::info("{} the data plane", object_->adopted() ? "adopted" : "loaded");
  tables_ = std::make_unique<dataplane::Tables>(*object_);
  sweeper_ = std::make_unique<dataplane::Sweeper>(*object_, *tables_);

  // Without a journal the running data plane is asked: a lost state directory must not take the services along.
  Replay replay;
  auto journal =
      Journal::open(options_.state_directory, replay, object_->adopted() ? tables_->configuration() : Configuration());
  if (!journal) return journal.error();
  journal_ = std::make_unique<Journal>(std::move(*journal));
  if (object_->adopted() && !replay.found)
    spdlog::warn("there was no journal in {}: going on with what the data plane has",
                 options_.state_directory.string());
  snapshot_ = std::make_unique<TemplateSnapshot>(options_.state_directory);
  // Tables that no door has used yet are new, or their maker was killed before it had come so far as to connect them.
  if (host_->attached_program() == 0) restore_templates(replay.configuration);
  look_for_full_tables();  // from here on it counts
  if (auto connected = host_->connect(*object_); !connected) return connected;
  bring_in(replay);
  return {};
}

// Before the doors are open, so that no client is given another server first; services are seen by packets only once
// first packets are led (bring_in()).
void LimpetDirector::restore_templates(const Configuration& configuration) {
  for (auto service = configuration.services().rbegin(); service != configuration.services().rend(); ++service)
    (void)tables_->reserve(*service);  // bring_in() says what finds no room
  dataplane::RestoredTemplates outcome;
  const auto read = snapshot_->read(std::chrono::system_clock::now(), [&](std::span<const TemplateRecord> records) {
    outcome += tables_->restore_templates(records);
  });
  const std::uint64_t all = outcome.restored + outcome.expired + outcome.gone + outcome.no_room;
  if (all != 0)
    spdlog::info(
        "{} of {} persistence templates restored; {} had ended, {} were of services or servers that are gone, "
        "{} found no room",
        outcome.restored, all, outcome.expired, outcome.gone, outcome.no_room);
  if (!read)
    spdlog::error("snapshot of persistence templates: {}", read.error().text);
  else if (read->any())
    spdlog::error("the snapshot of persistence templates in {} is damaged: {}", options_.state_directory.string(),
                  read->to_string());
}

// The journal's configuration as a difference to what the tables carry already.
void LimpetDirector::bring_in(const Replay& replay) {
  for (const std::string& problem : replay.problems) spdlog::error("{}", problem);
  configuration_ = replay.configuration;
  for (const ConfiguredService& service : configuration_.services()) plan_.add(service.service.key);
  lead_as_planned();
  // Oldest first: the order in which the kernel would have got them.
  for (auto service = configuration_.services().rbegin(); service != configuration_.services().rend(); ++service)
    if (const auto done = tables_->apply(*service); !done)
      spdlog::error("service {}: {}", service->service.key.to_string(), done.error().text);
  tables_->retain_only(configuration_);
  tables_->set_timeouts(configuration_.timeouts());
  spdlog::info("{} services", configuration_.services().size());
}

// What fails is tried again (every_second()); until then services by address go on.
void LimpetDirector::lead_as_planned() {
  const network::MarkPathPlan plan = plan_.plan();
  if (host_->leads(plan)) return;
  if (const auto led = host_->lead(plan); !led) spdlog::error("{}", led.error().text);
}

// Everything that can refuse a command is asked before the journal is written.
Result<void> LimpetDirector::check(const Command& command) {
  if (auto fine = configuration_.check(command); !fine) return fine;
  if (auto fine = carried(command); !fine) return fine;
  return std::visit(
      [this](const auto& c) -> Result<void> {
        using C = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<C, AddService>) {
          return tables_->room_for({c.service, {}});
        } else if constexpr (std::is_same_v<C, AddDestination>) {
          ConfiguredService service = *configuration_.find(c.service);
          service.destinations.insert(service.destinations.begin(), c.destination);
          return tables_->room_for(service);
        } else if constexpr (std::is_same_v<C, EditService>) {
          return tables_->room_for(*configuration_.find(c.service.key));
        } else if constexpr (std::is_same_v<C, EditDestination> || std::is_same_v<C, DeleteDestination>) {
          return tables_->room_for(*configuration_.find(c.service));
        } else {
          return {};
        }
      },
      command);
}

// Validates, leads first packets where they will be needed, journals, applies.
Result<void> LimpetDirector::execute(const Command& command) {
  if (unloaded_) return Error{ErrorCode::not_running, "limpetd is ending: it has been unloaded"};
  if (const auto* start = std::get_if<StartSyncDaemon>(&command)) return start_sync_daemon(start->daemon);
  if (auto fine = check(command); !fine) return fine;
  // Counters are no part of the configuration.
  if (const auto* zeroing = std::get_if<Zero>(&command)) {
    zero(*zeroing);
    return {};
  }
  const auto* add = std::get_if<AddService>(&command);
  if (std::holds_alternative<Flush>(command)) return flush();
  if (add == nullptr) {
    if (auto written = journal_->append(command); !written) return written;
    return apply(command);
  }
  // It may still have to leave the tables, being one of a table that was cleared: it comes back as a new one.
  if (rollout_) tables_->remove(add->service.key);
  plan_.add(add->service.key);
  const network::MarkPathPlan plan = plan_.plan();
  auto ready = host_->leads(plan) ? Result<void>() : host_->lead(plan);
  if (ready) ready = journal_->append(command);
  if (ready) return apply(command);
  plan_.remove(add->service.key);
  lead_as_planned();
  return ready;
}

// What the interface settles is journalled as it is now, and listed so until the daemon is stopped, as by the kernel.
Result<void> LimpetDirector::start_sync_daemon(const SyncDaemon& wanted) {
  const auto mtu = host_->mtu_of(wanted.interface);
  if (!mtu) return mtu.error();
  const auto ready = configuration_.ready(wanted, *mtu);
  if (!ready) return ready.error();
  const StartSyncDaemon command{*ready};
  if (auto written = journal_->append(command); !written) return written;
  return apply(command);
}

Result<void> LimpetDirector::apply(const Command& command) {
  configuration_.apply(command);
  ++generation_;
  const auto done = apply_to_tables(command);
  if (const auto* add = std::get_if<AddService>(&command); add != nullptr && !done)
    return take_back(add->service.key, done.error());
  if (std::holds_alternative<DeleteService>(command)) lead_as_planned();
  return done;
}

Result<void> LimpetDirector::apply_to_tables(const Command& command) {
  return std::visit(
      [this](const auto& c) -> Result<void> {
        using C = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<C, AddService> || std::is_same_v<C, EditService>) {
          return tables_->apply(*configuration_.find(c.service.key));
        } else if constexpr (std::is_same_v<C, AddDestination> || std::is_same_v<C, EditDestination> ||
                             std::is_same_v<C, DeleteDestination>) {
          neighbours_due_ = true;
          auto done = tables_->apply(*configuration_.find(c.service), dataplane::Edit::destination);
          if constexpr (std::is_same_v<C, AddDestination>) begin_rates(c.service, c.destination.key);
          return done;
        } else if constexpr (std::is_same_v<C, DeleteService>) {
          tables_->remove(c.key);
          plan_.remove(c.key);
        } else if constexpr (std::is_same_v<C, SetTimeouts>) {
          tables_->set_timeouts(configuration_.timeouts());
        }
        return {};
      },
      command);
}

// A service that the kernel had no memory for, although there was room in the tables.
Result<void> LimpetDirector::take_back(const ServiceKey& added, const Error& why) {
  const DeleteService undo{added};
  if (const auto written = journal_->append(undo); !written) spdlog::error("{}", written.error().text);
  (void)apply(undo);
  return why;
}

// A new server's first clients count at once. One that comes back from the trash goes on with its own.
void LimpetDirector::begin_rates(const ServiceKey& service, const DestinationKey& destination) {
  const std::uint32_t id = tables_->destination_id(service, destination);
  if (id == 0 || tables_->counters(id) != Counters{}) return;
  rates_[id] = {};
  rates_[id].sample({});
}

void LimpetDirector::zero(const Zero& command) {
  if (command.service) return zero(*command.service);
  for (const ConfiguredService& service : configuration_.services()) zeroing_.push_back(service.service.key);
  zero_some();
}

// One that has been removed since counts from 0 anyway.
void LimpetDirector::zero_some() {
  const auto end = std::chrono::steady_clock::now() + kSlice;
  while (!zeroing_.empty() && std::chrono::steady_clock::now() < end) {
    zero(zeroing_.back());
    zeroing_.pop_back();
  }
}

bool LimpetDirector::settle() {
  if (unloaded_) return true;
  if (rollout_) roll_out();
  if (!rollout_ && !zeroing_.empty()) zero_some();
  return !rollout_ && zeroing_.empty();
}

// Rates begin anew as well (ip_vs_est.c, ip_vs_zero_estimator()).
void LimpetDirector::zero(const ServiceKey& service) {
  tables_->zero(service);
  for (const std::uint32_t id : tables_->destinations_of(service)) {
    rates_[id] = {};
    rates_[id].sample({});
  }
}

void LimpetDirector::tick() {
  if (unloaded_) return;
  sweeper_->step();
  sample_rates();
  if (host_->settle()) neighbours_due_ = true;
  if (neighbours_due_ && !host_->neighbours().is_busy()) {
    neighbours_due_ = false;
    host_->neighbours().begin(tables_->servers());
  }
  host_->neighbours().step(kNeighbourBudget);
  keep_templates();
  if (++ticks_ % kTicksPerSecond == 0) every_second();
}

void LimpetDirector::every_second() {
  if (const auto synced = journal_->sync(); !synced) spdlog::error("{}", synced.error().text);
  if (const auto done = journal_->compact(configuration_); !done) spdlog::error("{}", done.error().text);
  tables_->collect(dataplane::Tables::Clock::now());
  look_for_full_tables();
  const unsigned second = ticks_ / kTicksPerSecond;
  if (second % 5 == 1) host_->look_for_hazards();
  if (second % 10 == 0) neighbours_due_ = true;
  if (second % 10 == 0 || !host_->is_settled()) host_->look_again();
}

TemplateSnapshot::Source LimpetDirector::template_source() const {
  auto walk = std::make_shared<dataplane::TemplateWalk>(*object_);
  return [walk](std::size_t limit) { return walk->next(limit); };
}

// A snapshot begins every kSnapshotSeconds, if the sweeper has seen that templates have changed.
void LimpetDirector::keep_templates() {
  Result<void> done;
  const std::uint64_t sum = sweeper_->status().template_sum;
  if (snapshot_->is_busy()) {
    done = snapshot_->step(kSnapshotBudget);
  } else if (ticks_ % (kSnapshotSeconds * kTicksPerSecond) == 0 && sum != snapshot_sum_) {
    snapshot_sum_ = sum;
    done = snapshot_->begin(template_source());
  }
  if (done) return;
  snapshot_sum_ = ~sum;  // again next time
  if (std::exchange(snapshot_failure_, done.error().text) != done.error().text)
    spdlog::error("snapshot of persistence templates: {}", done.error().text);
}

void LimpetDirector::say_goodbye() {
  if (!unloaded_) write_last_snapshot();
}

void LimpetDirector::write_last_snapshot() {
  if (const auto written = snapshot_->write_all(template_source()); !written)
    spdlog::error("snapshot of persistence templates: {}", written.error().text);
}

// Each destination's turn comes every two seconds; the turns are spread over the ticks.
void LimpetDirector::sample_rates() {
  constexpr unsigned kTurns = kTicksPerSecond * Estimator::kPeriodSeconds;
  tables_->visit_counters(ticks_ % kTurns, kTurns,
                          [this](std::uint32_t id, const Counters& counters) { rates_[id].sample(counters); });
}

// Read even when unloaded: the loop would spin on what stays unread, should something have kept the unloading from
// being complete.
void LimpetDirector::on_network_change() { host_->take_changes(); }

}  // namespace limpet
