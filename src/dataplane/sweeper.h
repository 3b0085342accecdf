// SPDX-License-Identifier: Apache-2.0
// Walks flows and templates for the ended ones, a piece at a time within a budget; verdicts on packets never wait for
// it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "dataplane/batch.h"
#include "dataplane/locality_sweep.h"
#include "dataplane/object.h"
#include "dataplane/tables.h"
#include "dataplane/words.h"

namespace limpet::dataplane {

struct SweepStatus {
  std::chrono::milliseconds last_pass{0};  // from its start to its end, pauses included
  std::chrono::milliseconds lag{0};        // how long after its end an entry was come to, at most
  std::uint64_t flows = 0;                 // seen by it, ended ones not yet deleted included
  std::uint64_t templates = 0;
  std::uint64_t template_sum = 0;  // over the living ones; another one: templates came, were used or changed
};

class Sweeper {
 public:
  using Clock = std::chrono::steady_clock;
  // Up to this many entries a pass takes a second; beyond, the budget decides.
  static constexpr std::uint64_t kUnhurried = 100000;
  static constexpr std::chrono::milliseconds kInterval{50};
  static constexpr std::chrono::microseconds kBudget{2500};  // of CPU time an interval: 5 % of a core
  static constexpr std::size_t kSweepTables = LIMPET_DROP_TEMPLATES4 + 1;
  static constexpr std::chrono::milliseconds kLongest{10};  // that one step may hold the loop

  Sweeper(Object& object, Tables& tables);

  // What a removed server left is to end, with the next pass (expire_nodest_conn).
  void expire_unavailable() { expire_due_ = true; }
  // Whether of all entries one in 32 is looked at each second, to be dropped if it is half open or idle after few
  // packets (drop_entry).
  void drop_entries(bool on) { drops_ = on; }
  // Call it every kInterval.
  void step();
  const SweepStatus& status() const { return status_; }

 private:
  using SweepKey = std::array<std::uint8_t, 16>;
  enum class Stage { templates, flows, done };

  void begin_pass();
  std::uint64_t share() const;
  bool advance();  // one batch; false: the pass is done
  void end_pass();
  void keep_addresses(const limpet_flow4_key& key, const limpet_flow& flow);
  std::size_t sweep_flows();
  std::size_t sweep_templates();
  void note_lag(std::uint64_t expiry, std::uint64_t now);
  template <class Key>
  void note(limpet_sweep_table table, const Key& key);
  void run_noted();
  void run(limpet_sweep_table table, std::span<const SweepKey> keys);
  bool is_unavailable(std::uint32_t destination) const;
  bool is_drawn();
  bool is_to_drop(const limpet_flow4_key& key, const FlowWord& word, std::uint64_t now);

  Object& object_;
  Tables& tables_;
  LocalitySweep localities_;
  BatchWalk<limpet_flow4_key, limpet_flow> flows_;
  BatchWalk<limpet_template4_key, limpet_template> templates_;
  Stage stage_ = Stage::done;
  std::array<std::vector<SweepKey>, kSweepTables> noted_;  // of the batch at hand
  bool expire_due_ = false;
  bool expires_ = false;  // this pass does
  bool drops_ = false;
  std::uint32_t chance_ = 0;                                  // of an entry to be looked at in this pass, of 65536
  std::array<unsigned, LIMPET_FLOW_PACKETS_MANY> drop_in_{};  // entries of so many packets until one is dropped
  std::minstd_rand random_{std::random_device{}()};
  Clock::time_point started_{};
  std::chrono::nanoseconds credit_{0};  // of the budget; below 0 after a batch that took longer
  SweepStatus running_;
  SweepStatus status_;
};

}  // namespace limpet::dataplane
