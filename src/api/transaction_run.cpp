// SPDX-License-Identifier: Apache-2.0
// A transaction in slices: first every command is read and checked, then all are carried out.
#include "api/transaction_run.h"

#include <chrono>
#include <utility>

#include "api/command_text.h"
#include "api/json_array.h"
#include "json/json.h"

namespace limpet::api {
namespace {

constexpr std::chrono::milliseconds kSlice{5};
constexpr const char* kStillThere = " ";

class TransactionRun : public BodySource {
 public:
  TransactionRun(Director& director, std::string text)
      : text_(std::move(text)), transaction_(director.begin_transaction()) {}
  // The elements point into the text, which therefore stays where it is.
  Result<void> prepare() {
    auto elements = ArrayElements::open(text_);
    if (!elements) return elements.error();
    elements_ = *elements;
    return {};
  }

  // A blank between the slices: that it cannot be sent shows that the client has gone, and nothing is changed then.
  std::optional<std::string> next() override {
    if (done_) return std::nullopt;
    if (checked_) {
      const auto progress = transaction_->commit();
      return progress.done ? finish(progress.refusal) : kStillThere;
    }
    const auto end = std::chrono::steady_clock::now() + kSlice;
    while (!checked_ && std::chrono::steady_clock::now() < end) {
      if (auto refusal = check_next()) return finish(refusal);
    }
    return kStillThere;
  }

 private:
  std::optional<Refusal> check_next() {
    const auto element = elements_->next();
    if (!element) return Refusal{element.error(), std::nullopt};
    checked_ = !*element;
    if (checked_) return std::nullopt;
    const std::size_t number = count_++;
    if (const auto added = add(**element); !added) return Refusal{added.error(), number};
    return std::nullopt;
  }

  Result<void> add(std::string_view text) {
    const auto command = command_in(text);
    if (!command) return command.error();
    return transaction_->add(*command);
  }

  std::string finish(const std::optional<Refusal>& refusal) {
    done_ = true;
    transaction_.reset();
    if (!refusal) return "null";
    auto problem = json_codec::problem_to_json(refusal->error);
    if (refusal->command) problem["command"] = *refusal->command;
    return json_codec::to_text(problem);
  }

  std::string text_;
  std::unique_ptr<Transaction> transaction_;
  std::optional<ArrayElements> elements_;
  std::size_t count_ = 0;
  bool checked_ = false;
  bool done_ = false;
};

}  // namespace

Result<std::unique_ptr<BodySource>> transaction_run(Director& director, std::string commands) {
  auto run = std::make_unique<TransactionRun>(director, std::move(commands));
  if (auto prepared = run->prepare(); !prepared) return prepared.error();
  return std::unique_ptr<BodySource>(std::move(run));
}

}  // namespace limpet::api
