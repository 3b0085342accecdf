// SPDX-License-Identifier: Apache-2.0
// The director: a whole new configuration, brought into the tables in slices between other work.
#include <spdlog/spdlog.h>

#include <utility>

#include "director/limpet_director.h"
#include "director/limpet_forecast.h"
#include "director/limpet_transaction.h"
#include "director/turn.h"

namespace limpet {

std::unique_ptr<Transaction> LimpetDirector::begin_transaction() { return std::make_unique<LimpetTransaction>(*this); }

std::unique_ptr<Forecast> LimpetDirector::forecast() { return std::make_unique<LimpetForecast>(*this); }

Result<void> LimpetDirector::room_for(const Configuration& next) const {
  const dataplane::Ceilings& ceilings = object_->ceilings();
  std::size_t destinations = 0;
  std::size_t entries = 0;
  for (const ConfiguredService& service : next.services()) {
    if (auto fits = dataplane::Tables::fits(service); !fits) return fits;
    destinations += service.destinations.size();
    entries += dataplane::Tables::list_entries(service);
  }
  const auto full = [](const char* what, std::size_t ceiling) {
    return Error{ErrorCode::no_space, std::string("the table of ") + what + " has room for " + std::to_string(ceiling)};
  };
  if (next.services().size() > ceilings.services) return full("services", ceilings.services);
  if (destinations > ceilings.destinations - 1) return full("destinations", ceilings.destinations - 1);
  if (entries > object_->lists.size()) return full("destination lists", object_->lists.size());
  return {};
}

// Room in the tables and a way for first packets, of old services and new ones.
Result<void> LimpetDirector::make_way_for(const Configuration& next) {
  if (auto room = room_for(next); !room) return room;
  MarkPlan both = plan_;
  for (const ConfiguredService& service : next.services()) both.add(service.service.key);
  const network::MarkPathPlan plan = both.plan();
  return host_->leads(plan) ? Result<void>() : host_->lead(plan);
}

std::shared_ptr<Rollout> LimpetDirector::adopt(Configuration next, std::vector<ServiceKey> touched) {
  // Until the tables have it, the ways of both stay.
  for (const ConfiguredService& service : next.services()) plan_.add(service.service.key);
  rollout_ = std::make_shared<Rollout>();
  rollout_->before = std::exchange(configuration_, std::move(next));
  rollout_->generation = ++generation_;
  rollout_->touched = std::move(touched);
  tables_->set_timeouts(configuration_.timeouts());
  put_tunables_in_force();
  return rollout_;
}

// The table is empty at once; its services leave the kernel's tables in slices, a small table's in the first. One that
// is on its way into the tables has these to do as well, and turns back: roll_out() looks at what is configured now.
Result<void> LimpetDirector::flush() {
  if (auto written = journal_->append(Flush{}); !written) return written;
  std::vector<ServiceKey> all;
  for (const ConfiguredService& service : configuration_.services()) all.push_back(service.service.key);
  if (rollout_) {
    rollout_->touched.insert(rollout_->touched.end(), all.begin(), all.end());
    configuration_ = configuration_.without_services();
    ++generation_;
  } else {
    (void)adopt(configuration_.without_services(), std::move(all));
  }
  roll_out();
  return {};
}

// Each service as it is configured now: single commands that come in between are no obstacle.
void LimpetDirector::roll_out() {
  const Turn turn;
  Rollout& rollout = *rollout_;
  while (rollout.next < rollout.touched.size()) {
    if (turn.over()) return;
    const ServiceKey& key = rollout.touched[rollout.next++];
    const ConfiguredService* now = configuration_.find(key);
    const ConfiguredService* before = rollout.failure ? nullptr : rollout.before.find(key);
    if (now == nullptr) {
      tables_->remove(key);
    } else if (before == nullptr || *before != *now) {
      if (const auto done = put_into_tables(*now); !done) roll_back(done.error());
    }
  }
  end_rollout();
}

// The kernel had no memory although there was room in the tables.
void LimpetDirector::roll_back(const Error& why) {
  spdlog::error("{}", why.text);
  if (rollout_->failure) return;
  rollout_->failure = why;
  if (generation_ != rollout_->generation) {
    rollout_->failure->text += "; since other changes came in between, the rest was carried out";
    return;
  }
  configuration_ = std::move(rollout_->before);
  rollout_->before = {};
  ++generation_;
  rollout_->next = 0;
  tables_->set_timeouts(configuration_.timeouts());
  put_tunables_in_force();
  if (const auto written = journal_->rewrite(configuration_); !written) spdlog::error("{}", written.error().text);
}

void LimpetDirector::end_rollout() {
  plan_ = MarkPlan(options_.first_packets_netfilter);
  for (const ConfiguredService& service : configuration_.services()) plan_.add(service.service.key);
  lead_as_planned();
  expire_removed();
  neighbours_due_ = true;
  rollout_->before = {};
  rollout_->done = true;
  rollout_.reset();
}

}  // namespace limpet
