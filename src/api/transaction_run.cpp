// SPDX-License-Identifier: Apache-2.0
// A transaction in slices: first every command is read and checked, then all are carried out.
#include "api/transaction_run.h"

#include <utility>

#include "api/command_text.h"
#include "director/turn.h"
#include "json/json.h"

namespace limpet::api {
namespace {

class TransactionRun : public BodySource {
 public:
  TransactionRun(Director& director, std::string text)
      : commands_(std::move(text)), transaction_(director.begin_transaction()) {}
  Result<void> prepare() { return commands_.open(); }

  // A blank between the slices: that it cannot be sent shows that the client has gone, and nothing is changed then.
  std::optional<std::string> next() override {
    if (done_) return std::nullopt;
    if (commands_.at_end()) {
      const auto progress = transaction_->commit();
      return progress.done ? finish(progress.refusal) : kStillThere;
    }
    const Turn turn;
    while (!commands_.at_end() && !turn.over()) {
      const auto add = [this](const Command& command) { return transaction_->add(command); };
      if (auto refusal = commands_.add_next(add)) return finish(refusal);
    }
    return kStillThere;
  }

 private:
  std::string finish(const std::optional<Refusal>& refusal) {
    done_ = true;
    transaction_.reset();
    if (!refusal) return "null";
    return json_codec::to_text(problem_of(*refusal));
  }

  CommandList commands_;
  std::unique_ptr<Transaction> transaction_;
  bool done_ = false;
};

}  // namespace

Result<std::unique_ptr<BodySource>> transaction_run(Director& director, std::string commands) {
  auto run = std::make_unique<TransactionRun>(director, std::move(commands));
  if (auto prepared = run->prepare(); !prepared) return prepared.error();
  return std::unique_ptr<BodySource>(std::move(run));
}

}  // namespace limpet::api
