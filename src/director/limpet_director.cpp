// SPDX-License-Identifier: Apache-2.0
// The director: start, commands, time.
#include "director/limpet_director.h"

#include <spdlog/spdlog.h>

#include <span>
#include <type_traits>
#include <utility>

#include "dataplane/bpffs.h"
#include "dataplane/template_walk.h"
#include "director/file_settings.h"
#include "director/maglev_key.h"
#include "director/turn.h"
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
  std::optional<dataplane::HashKey> key;
  if (const auto& file = options_.maglev_key_file; !file.empty()) {
    const auto read = read_maglev_key(file);
    if (!read) return read.error();
    key = *read;
  }
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
  tables_->set_key(key ? *key : keep_maglev_key(options_.state_directory, tables_->key_in_use()));
  snapshot_ = std::make_unique<TemplateSnapshot>(options_.state_directory);
  take_settings_of_files(replay);
  // Tables that no door has used yet are new, or their maker was killed before it had come so far as to connect them.
  if (host_->attached_program() == 0) restore_templates(replay.configuration);
  look_for_full_tables();  // from here on it counts
  if (auto connected = host_->connect(*object_); !connected) return connected;
  bring_in(replay);
  return {};
}

// As a host's sysctls: made new, the settings are what the files say; adopted ones go on as they were set, but for what
// has changed in the files since. Tables without a journal say only part of them.
void LimpetDirector::take_settings_of_files(Replay& replay) {
  Configuration& configuration = replay.configuration;
  FileSettings files(options_.run_directory);
  const bool fresh = host_->attached_program() == 0;
  SetTunables command;
  if (fresh)
    for (const Setting& set : changed_settings(configuration.tunables()))
      command.settings.push_back({set.name, std::to_string(Tunables()[*tunable_index(set.name)])});
  for (const FileSetting& file : files.changed(options_.settings, fresh || !replay.found)) {
    if (const auto fine = limpet::check(file.setting); fine)
      command.settings.push_back(file.setting);
    else if (!file.may_fail)
      spdlog::warn("{}: {}", file.source, fine.error().text);
  }
  Configuration after = configuration.without_services();
  after.apply(command);
  if (after.tunables() == configuration.tunables()) return files.remember(options_.settings);
  configuration.apply(command);
  if (const auto written = journal_->append(command); !written) spdlog::error("{}", written.error().text);
  files.remember(options_.settings);
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
  put_tunables_in_force();
  expire_removed();
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
          return tables_->room_for({c.service, configuration_.find(c.service.key)->destinations});
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
  if (std::holds_alternative<StartSyncDaemon>(command)) {
    const auto ready = settled(command, configuration_);
    if (!ready) return ready.error();
    if (auto written = journal_->append(*ready); !written) return written;
    return apply(*ready);
  }
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

// What only the host can say is asked once, when the command comes: so a synchronisation daemon's interface. It is
// journalled as it is now, and listed so until the daemon is stopped, as by the kernel.
Result<Command> LimpetDirector::settled(const Command& command, const Configuration& configuration) const {
  const auto* start = std::get_if<StartSyncDaemon>(&command);
  if (start == nullptr) return command;
  const auto mtu = host_->mtu_of(start->daemon.interface);
  if (!mtu) return mtu.error();
  const auto ready = configuration.ready(start->daemon, *mtu);
  if (!ready) return ready.error();
  return Command(StartSyncDaemon{*ready});
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
          return put_into_tables(*configuration_.find(c.service.key));
        } else if constexpr (std::is_same_v<C, AddDestination> || std::is_same_v<C, EditDestination> ||
                             std::is_same_v<C, DeleteDestination>) {
          neighbours_due_ = true;
          auto done = put_into_tables(*configuration_.find(c.service), dataplane::Edit::destination);
          if constexpr (std::is_same_v<C, DeleteDestination>) expire_removed();
          return done;
        } else if constexpr (std::is_same_v<C, DeleteService>) {
          tables_->remove(c.key);
          expire_removed();
          plan_.remove(c.key);
        } else if constexpr (std::is_same_v<C, SetTimeouts>) {
          tables_->set_timeouts(configuration_.timeouts());
        } else if constexpr (std::is_same_v<C, SetTunables>) {
          put_tunables_in_force();
        }
        return {};
      },
      command);
}

void LimpetDirector::put_tunables_in_force() {
  tables_->set_tunables(configuration_.tunables());
  defend();
}

void LimpetDirector::defend() {
  defence_.update(configuration_.tunables(), {available_pages(), sweeper_->status().flows, object_->ceilings().flows});
  tables_->set_defence(defence_.secures_tcp(), defence_.drop_rate(), defence_.drops_by_itself());
  sweeper_->drop_entries(defence_.drops_entries());
  tell_of_defence();
}

// Not more than once a minute: what is automatic may change each second.
void LimpetDirector::tell_of_defence() {
  const auto now = defence_.kinds();
  if (now == defence_told_ || ticks_ < defence_told_again_) return;
  defence_told_ = now;
  defence_told_again_ = ticks_ + 60 * kTicksPerSecond;
  for (const std::string& text : defence_.sentences()) spdlog::warn("{}", text);
  if (now.empty()) spdlog::info("no defence is in force any more");
}

// What a server leaves that is removed (__ip_vs_del_dest(), ip_vs_enqueue_expire_nodest_conns()).
void LimpetDirector::expire_removed() {
  if (configuration_.tunables()[tunable("expire_nodest_conn")] != 0) sweeper_->expire_unavailable();
}

// A service that the kernel had no memory for, although there was room in the tables.
Result<void> LimpetDirector::take_back(const ServiceKey& added, const Error& why) {
  const DeleteService undo{added};
  if (const auto written = journal_->append(undo); !written) spdlog::error("{}", written.error().text);
  (void)apply(undo);
  return why;
}

// A new server's first clients count at once in its rates. One that comes back from the trash goes on with its own.
Result<void> LimpetDirector::put_into_tables(const ConfiguredService& service, dataplane::Edit edit) {
  auto done = tables_->apply(service, edit);
  for (const std::uint32_t id : tables_->newcomers()) {
    rates_[id] = {};
    rates_[id].sample({});
  }
  return done;
}

void LimpetDirector::zero(const Zero& command) {
  if (command.service) return zero(*command.service);
  for (const ConfiguredService& service : configuration_.services()) zeroing_.push_back(service.service.key);
  zero_some();
}

// One that has been removed since counts from 0 anyway.
void LimpetDirector::zero_some() {
  const Turn turn;
  while (!zeroing_.empty() && !turn.over()) {
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
  defend();
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
void LimpetDirector::on_network_change() {
  host_->take_changes();
  if (!unloaded_) host_->follow_addresses();
}

}  // namespace limpet
