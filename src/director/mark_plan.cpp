// SPDX-License-Identifier: Apache-2.0
// Which first packets have to come through netfilter.
#include "director/mark_plan.h"

namespace limpet {

void MarkPlan::add(const ServiceKey& service) {
  if (service.family != Family::ipv4) return;
  if (service.is_mark())
    marks_.insert(service.mark.value);
  else
    ++addresses_[service.address];
}

void MarkPlan::remove(const ServiceKey& service) {
  if (service.family != Family::ipv4) return;
  if (service.is_mark()) {
    marks_.erase(service.mark.value);
    return;
  }
  const auto found = addresses_.find(service.address);
  if (found != addresses_.end() && --found->second == 0) addresses_.erase(found);
}

network::MarkPathPlan MarkPlan::plan() const {
  network::MarkPathPlan plan;
  plan.marks = marks_;
  if (always_ || !marks_.empty())
    for (const auto& [address, count] : addresses_) plan.deferred_addresses.insert(address);
  return plan;
}

}  // namespace limpet
