// SPDX-License-Identifier: Apache-2.0
// A transaction: commands checked on a copy of the configuration, which then takes the place of the original at once.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "director/director.h"
#include "director/journal.h"
#include "director/rollout.h"
#include "model/configuration.h"

namespace limpet {

class LimpetDirector;

class LimpetTransaction : public Transaction {
 public:
  // `director` must outlive it.
  explicit LimpetTransaction(LimpetDirector& director);
  ~LimpetTransaction() override;
  LimpetTransaction(const LimpetTransaction&) = delete;
  LimpetTransaction& operator=(const LimpetTransaction&) = delete;

  Result<void> add(const Command& command) override;
  Progress commit() override;

 private:
  Result<Command> settled(const Command& command) const;
  Result<void> stage(const Command& command);
  void touch(const ServiceKey& key);
  void begin_anew();
  std::optional<Refusal> check_again();
  Result<void> carry_out();

  LimpetDirector& director_;
  Configuration staged_;
  std::uint64_t generation_;  // of the configuration that was copied
  std::vector<Command> commands_;
  std::size_t staged_commands_ = 0;
  bool way_is_made_ = false;
  JournalGroup journal_;
  std::vector<ServiceKey> touched_;
  std::unordered_set<ServiceKey, ServiceKeyHash> is_touched_;
  std::shared_ptr<Rollout> rollout_;
};

}  // namespace limpet
