// SPDX-License-Identifier: Apache-2.0
// A transaction: commands checked on a copy of the configuration, which then takes the place of the original at once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "director/director.h"
#include "director/journal.h"
#include "director/rollout.h"
#include "director/staging.h"

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
  void begin_anew();
  std::optional<Refusal> check_again();
  Result<void> carry_out();

  LimpetDirector& director_;
  Staging staging_;
  std::uint64_t generation_;  // of the configuration that was copied
  std::vector<Command> commands_;
  std::size_t staged_commands_ = 0;
  bool way_is_made_ = false;
  JournalGroup journal_;
  std::shared_ptr<Rollout> rollout_;
};

}  // namespace limpet
