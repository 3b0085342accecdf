// SPDX-License-Identifier: Apache-2.0
// Walks flows and templates for the ended ones, a piece at a time within a budget; verdicts on packets never wait for
// it.
#pragma once

#include <chrono>
#include <cstdint>

#include "dataplane/batch.h"
#include "dataplane/object.h"
#include "dataplane/tables.h"

namespace limpet::dataplane {

struct SweepStatus {
  std::chrono::milliseconds last_pass{0};  // from its start to its end, pauses included
  std::uint64_t flows = 0;                 // seen by it, ended ones not yet deleted included
  std::uint64_t templates = 0;
};

class Sweeper {
 public:
  using Clock = std::chrono::steady_clock;
  // Up to this many entries a pass takes a second; beyond, the budget decides.
  static constexpr std::uint64_t kUnhurried = 100000;
  static constexpr std::chrono::milliseconds kInterval{50};
  static constexpr std::chrono::microseconds kBudget{2500};  // an interval: 5 % of a core

  Sweeper(Object& object, Tables& tables);

  // Call it every kInterval.
  void step();
  const SweepStatus& status() const { return status_; }

 private:
  enum class Stage { templates, flows, done };

  void begin_pass();
  bool advance();  // one batch; false: the pass is done
  void end_pass();
  void keep_addresses(const limpet_flow4_key& key, const limpet_flow& flow);
  std::size_t sweep_flows();
  std::size_t sweep_templates();
  void run(limpet_sweep_table table, std::uint32_t count);

  Object& object_;
  Tables& tables_;
  BatchWalk<limpet_flow4_key, limpet_flow> flows_;
  BatchWalk<limpet_template4_key, limpet_template> templates_;
  Stage stage_ = Stage::done;
  Clock::time_point started_{};
  SweepStatus running_;
  SweepStatus status_;
};

}  // namespace limpet::dataplane
