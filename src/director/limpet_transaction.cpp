// SPDX-License-Identifier: Apache-2.0
// Transactions: staged on a copy, journalled as one line, put in place by a swap, brought into the tables in slices.
#include "director/limpet_transaction.h"

#include <chrono>
#include <type_traits>
#include <utility>

#include "director/limpet_director.h"
#include "model/carried.h"

namespace limpet {

LimpetTransaction::LimpetTransaction(LimpetDirector& director)
    : director_(director), staged_(director.configuration_), generation_(director.generation_) {}

LimpetTransaction::~LimpetTransaction() {
  director_.journal_->give_up(journal_);
  if (way_is_made_ && rollout_ == nullptr && director_.rollout_ == nullptr) director_.lead_as_planned();
}

Result<void> LimpetTransaction::add(const Command& command) {
  const auto ready = settled(command);
  if (!ready) return ready.error();
  if (auto staged = stage(*ready); !staged) return staged;
  if (!std::holds_alternative<Zero>(*ready)) journal_.add(*ready);
  commands_.push_back(*ready);
  ++staged_commands_;
  return {};
}

// What only the host can say is asked once, when the command comes.
Result<Command> LimpetTransaction::settled(const Command& command) const {
  const auto* start = std::get_if<StartSyncDaemon>(&command);
  if (start == nullptr) return command;
  const auto mtu = director_.host_->mtu_of(start->daemon.interface);
  if (!mtu) return mtu.error();
  const auto ready = staged_.ready(start->daemon, *mtu);
  if (!ready) return ready.error();
  return Command(StartSyncDaemon{*ready});
}

Result<void> LimpetTransaction::stage(const Command& command) {
  if (auto fine = staged_.check(command); !fine) return fine;
  if (auto fine = carried(command); !fine) return fine;
  std::visit(
      [this](const auto& c) {
        using C = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<C, AddService> || std::is_same_v<C, EditService>) {
          touch(c.service.key);
        } else if constexpr (std::is_same_v<C, DeleteService>) {
          touch(c.key);
        } else if constexpr (std::is_same_v<C, AddDestination> || std::is_same_v<C, EditDestination> ||
                             std::is_same_v<C, DeleteDestination>) {
          touch(c.service);
        } else if constexpr (std::is_same_v<C, Flush>) {
          for (const ConfiguredService& service : staged_.services()) touch(service.service.key);
        }
      },
      command);
  staged_.apply(command);
  return {};
}

void LimpetTransaction::touch(const ServiceKey& key) {
  if (is_touched_.insert(key).second) touched_.push_back(key);
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
  staged_ = director_.configuration_;
  generation_ = director_.generation_;
  staged_commands_ = 0;
  way_is_made_ = false;
}

std::optional<Refusal> LimpetTransaction::check_again() {
  const auto end = std::chrono::steady_clock::now() + kSlice;
  while (staged_commands_ < commands_.size() && std::chrono::steady_clock::now() < end) {
    if (const auto staged = stage(commands_[staged_commands_]); !staged) {
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
    if (auto made = director_.make_way_for(staged_); !made) return made;
    way_is_made_ = true;
  }
  const auto whole = director_.journal_->append_piece(journal_);
  if (!whole) return whole.error();
  if (*whole) rollout_ = director_.adopt(std::move(staged_), std::move(touched_));
  return {};
}

}  // namespace limpet
