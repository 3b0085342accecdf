// SPDX-License-Identifier: Apache-2.0
// Commands checked and carried out on a copy of the configuration.
#pragma once

#include <unordered_set>
#include <utility>
#include <vector>

#include "model/command.h"
#include "model/configuration.h"
#include "model/result.h"

namespace limpet {

class Staging {
 public:
  explicit Staging(const Configuration& from) : configuration_(from) {}

  // Or changes nothing and says why. Precondition: what only the host can say has been settled.
  Result<void> stage(const Command& command);
  void begin_anew(const Configuration& from) { configuration_ = from; }

  const Configuration& configuration() const { return configuration_; }
  // The services that any command named, -C all there were; each once.
  const std::vector<ServiceKey>& touched() const { return touched_; }
  Configuration take_configuration() { return std::move(configuration_); }

 private:
  void touch(const ServiceKey& key);

  Configuration configuration_;
  std::vector<ServiceKey> touched_;
  std::unordered_set<ServiceKey, ServiceKeyHash> is_touched_;
};

}  // namespace limpet
