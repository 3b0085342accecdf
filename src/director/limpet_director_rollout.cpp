// SPDX-License-Identifier: Apache-2.0
// The director: a whole new configuration, brought into the tables in slices between other work.
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "director/limpet_director.h"
#include "director/limpet_transaction.h"

namespace limpet {

std::unique_ptr<Transaction> LimpetDirector::begin_transaction() { return std::make_unique<LimpetTransaction>(*this); }

// Room in the tables and a way for first packets, of old services and new ones.
Result<void> LimpetDirector::make_way_for(const Configuration& next) {
  const dataplane::Ceilings& ceilings = object_->ceilings();
  std::size_t destinations = 0;
  MarkPlan both = plan_;
  for (const ConfiguredService& service : next.services()) {
    destinations += service.destinations.size();
    both.add(service.service.key);
  }
  const auto full = [](const char* what, std::size_t ceiling) {
    return Error{ErrorCode::no_space, std::string("the table of ") + what + " has room for " + std::to_string(ceiling)};
  };
  if (next.services().size() > ceilings.services) return full("services", ceilings.services);
  if (destinations > ceilings.destinations - 1) return full("destinations", ceilings.destinations - 1);
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
  const auto end = std::chrono::steady_clock::now() + kSlice;
  Rollout& rollout = *rollout_;
  while (rollout.next < rollout.touched.size()) {
    if (std::chrono::steady_clock::now() >= end) return;
    const ServiceKey& key = rollout.touched[rollout.next++];
    const ConfiguredService* now = configuration_.find(key);
    const ConfiguredService* before = rollout.failure ? nullptr : rollout.before.find(key);
    if (now == nullptr) {
      tables_->remove(key);
    } else if (before == nullptr || *before != *now) {
      if (const auto done = tables_->apply(*now); !done)
        roll_back(done.error());
      else
        for (const Destination& destination : now->destinations) begin_rates(key, destination.key);
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
  if (const auto written = journal_->rewrite(configuration_); !written) spdlog::error("{}", written.error().text);
}

void LimpetDirector::end_rollout() {
  plan_ = MarkPlan(options_.first_packets_netfilter);
  for (const ConfiguredService& service : configuration_.services()) plan_.add(service.service.key);
  lead_as_planned();
  neighbours_due_ = true;
  rollout_->before = {};
  rollout_->done = true;
  rollout_.reset();
}

}  // namespace limpet
