// SPDX-License-Identifier: Apache-2.0
// The director: start, commands, time.
#include "director/limpet_director.h"

#include <spdlog/spdlog.h>

#include <type_traits>

#include "dataplane/bpffs.h"
#include "model/carried.h"

namespace limpet {
namespace {

constexpr unsigned kTicksPerSecond = 1000 / LimpetDirector::kTick.count();

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

  Replay replay;
  auto journal = Journal::open(options_.state_directory, replay);
  if (!journal) return journal.error();
  journal_ = std::make_unique<Journal>(std::move(*journal));
  if (auto connected = host_->connect(*object_); !connected) return connected;
  return bring_in(replay);
}

// The journal's configuration as a difference to what the tables carry already.
Result<void> LimpetDirector::bring_in(const Replay& replay) {
  for (const std::string& problem : replay.problems) spdlog::error("{}", problem);
  configuration_ = replay.configuration;
  for (const ConfiguredService& service : configuration_.services()) plan_.add(service.service.key);
  if (const auto led = host_->lead(plan_.plan()); !led) return led;
  // Oldest first: the order in which the kernel would have got them.
  for (auto service = configuration_.services().rbegin(); service != configuration_.services().rend(); ++service)
    if (const auto done = tables_->apply(*service); !done)
      spdlog::error("service {}: {}", service->service.key.to_string(), done.error().text);
  tables_->retain_only(configuration_);
  tables_->set_timeouts(configuration_.timeouts());
  spdlog::info("{} services", configuration_.services().size());
  return {};
}

Result<void> LimpetDirector::check(const Command& command) const {
  if (auto fine = configuration_.check(command); !fine) return fine;
  if (auto fine = carried(command); !fine) return fine;
  if (const auto* add = std::get_if<AddService>(&command)) {
    return tables_->room_for({add->service, {}});
  }
  if (const auto* add = std::get_if<AddDestination>(&command)) {
    ConfiguredService service = *configuration_.find(add->service);
    service.destinations.insert(service.destinations.begin(), add->destination);
    return tables_->room_for(service);
  }
  return {};
}

// Validates, leads first packets where they will be needed, journals, applies.
Result<void> LimpetDirector::execute(const Command& command) {
  if (unloaded_) return Error{ErrorCode::not_running, "limpetd is ending: it has been unloaded"};
  if (auto fine = check(command); !fine) return fine;
  const network::MarkPathPlan before = plan_.plan();
  if (const auto* add = std::get_if<AddService>(&command)) {
    plan_.add(add->service.key);
    if (const auto plan = plan_.plan(); plan != before) {
      if (auto led = host_->lead(plan); !led) {
        plan_.remove(add->service.key);
        (void)host_->lead(before);
        return led;
      }
    }
  }
  if (auto written = journal_->append(command); !written) return written;
  return apply(command);
}

Result<void> LimpetDirector::apply(const Command& command) {
  const network::MarkPathPlan before = plan_.plan();
  std::vector<ServiceKey> zeroed;
  if (const auto* zero = std::get_if<Zero>(&command)) {
    if (zero->service) {
      tables_->zero(*zero->service);
    } else {
      for (const ConfiguredService& service : configuration_.services()) tables_->zero(service.service.key);
    }
    return {};
  }
  if (std::holds_alternative<Flush>(command)) {
    for (const ConfiguredService& service : configuration_.services()) {
      tables_->remove(service.service.key);
      plan_.remove(service.service.key);
    }
  }
  configuration_.apply(command);
  Result<void> done;
  std::visit(
      [&](const auto& c) {
        using C = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<C, AddService> || std::is_same_v<C, EditService>) {
          done = tables_->apply(*configuration_.find(c.service.key));
        } else if constexpr (std::is_same_v<C, AddDestination> || std::is_same_v<C, EditDestination> ||
                             std::is_same_v<C, DeleteDestination>) {
          done = tables_->apply(*configuration_.find(c.service));
          neighbours_due_ = true;
        } else if constexpr (std::is_same_v<C, DeleteService>) {
          tables_->remove(c.key);
          plan_.remove(c.key);
        } else if constexpr (std::is_same_v<C, SetTimeouts>) {
          tables_->set_timeouts(configuration_.timeouts());
        }
      },
      command);
  if (const auto plan = plan_.plan(); plan != before)
    if (const auto led = host_->lead(plan); !led) spdlog::warn("{}", led.error().text);
  return done;
}

void LimpetDirector::tick() {
  if (unloaded_) return;
  sweeper_->step();
  sample_rates();
  if (neighbours_due_) {
    neighbours_due_ = false;
    host_->keep_servers(tables_->servers());
  }
  if (++ticks_ % kTicksPerSecond == 0) every_second();
}

void LimpetDirector::every_second() {
  if (const auto synced = journal_->sync(); !synced) spdlog::error("{}", synced.error().text);
  tables_->collect(dataplane::Tables::Clock::now());
  log_events();
  const unsigned second = ticks_ / kTicksPerSecond;
  if (second % 5 == 1) host_->look_for_hazards();
  if (second % 10 == 0) neighbours_due_ = true;
}

// Each destination's turn comes every two seconds; the turns are spread over the ticks.
void LimpetDirector::sample_rates() {
  constexpr unsigned kTurns = kTicksPerSecond * Estimator::kPeriodSeconds;
  for (const ConfiguredService& service : configuration_.services())
    for (const std::uint32_t id : tables_->destinations_of(service.service.key))
      if (id % kTurns == ticks_ % kTurns) rates_[id].sample(tables_->counters(id));
}

void LimpetDirector::on_network_change() {
  if (!unloaded_ && host_->take_changes()) neighbours_due_ = true;
}

}  // namespace limpet
