// SPDX-License-Identifier: Apache-2.0
// Which first packets have to come through netfilter: those with the mark of a service, and, while there is any such
// service, those of every address service, since a mark wins over an address.
#pragma once

#include <map>

#include "model/configuration.h"
#include "network/mark_rules.h"

namespace limpet {

class MarkPlan {
 public:
  explicit MarkPlan(bool always) : always_(always) {}

  void add(const ServiceKey& service);
  void remove(const ServiceKey& service);
  network::MarkPathPlan plan() const;

 private:
  bool always_;  // first-packets = netfilter
  std::set<std::uint32_t> marks_;
  std::map<Address, int> addresses_;  // of address services, with their number
};

}  // namespace limpet
