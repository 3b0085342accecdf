// SPDX-License-Identifier: Apache-2.0
// Transactions: staged on a copy, journalled as one line, put in place by a swap, brought into the tables in slices.
#include "director/limpet_transaction.h"

#include <utility>

#include "director/limpet_director.h"
#include "director/turn.h"

namespace limpet {

LimpetTransaction::LimpetTransaction(LimpetDirector& director)
    : director_(director), staging_(director.configuration_), generation_(director.generation_) {}

LimpetTransaction::~LimpetTransaction() {
  director_.journal_->give_up(journal_);
  if (way_is_made_ && rollout_ == nullptr && director_.rollout_ == nullptr) director_.lead_as_planned();
}

Result<void> LimpetTransaction::add(const Command& command) {
  const auto ready = director_.settled(command, staging_.configuration());
  if (!ready) return ready.error();
  if (auto staged = staging_.stage(*ready); !staged) return staged;
  if (!std::holds_alternative<Zero>(*ready)) journal_.add(*ready);
  commands_.push_back(*ready);
  ++staged_commands_;
  return {};
}

Transaction::Progress LimpetTransaction::commit() {
  if (director_.unloaded_) {
    return {true, Refusal{{ErrorCode::not_running, "limpetd is ending: it has been unloaded"}, std::nullopt}};
  }
  if (rollout_ == nullptr) {
    // One at a time.
    if (director_.rollout_ != nullptr) {
      director_.roll_out();
      return {};
    }
    if (generation_ != director_.generation_) begin_anew();
    if (auto refusal = check_again()) {
      director_.lead_as_planned();  // a way may have been made before it began anew
      return {true, std::move(refusal)};
    }
    if (staged_commands_ < commands_.size()) return {};
    if (const auto done = carry_out(); !done) {
      director_.lead_as_planned();
      return {true, Refusal{done.error(), std::nullopt}};
    }
    return {};
  }
  if (!rollout_->done) director_.roll_out();
  if (!rollout_->done) return {};
  if (rollout_->failure) return {true, Refusal{*rollout_->failure, std::nullopt}};
  for (const Command& command : commands_) {
    if (const auto* zero = std::get_if<Zero>(&command)) director_.zero(*zero);
  }
  return {true, std::nullopt};
}

// Somebody has changed the configuration meanwhile.
void LimpetTransaction::begin_anew() {
  staging_.begin_anew(director_.configuration_);
  generation_ = director_.generation_;
  staged_commands_ = 0;
  way_is_made_ = false;
}

std::optional<Refusal> LimpetTransaction::check_again() {
  const Turn turn;
  while (staged_commands_ < commands_.size() && !turn.over()) {
    if (const auto staged = staging_.stage(commands_[staged_commands_]); !staged) {
      return Refusal{staged.error(), staged_commands_};
    }
    ++staged_commands_;
  }
  return std::nullopt;
}

// Way first, then the journal, then the configuration: as for single commands. What changes while the journal is being
// written shows in the generation, and all begins anew.
Result<void> LimpetTransaction::carry_out() {
  if (director_.journal_->is_busy_with_another(journal_)) return {};
  if (!way_is_made_) {
    if (auto made = director_.make_way_for(staging_.configuration()); !made) return made;
    way_is_made_ = true;
  }
  const auto whole = director_.journal_->append_piece(journal_);
  if (!whole) return whole.error();
  if (*whole) rollout_ = director_.adopt(staging_.take_configuration(), staging_.touched());
  return {};
}

}  // namespace limpet
