// SPDX-License-Identifier: Apache-2.0
// Commands of a list, as text.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/json_array.h"
#include "model/command.h"
#include "model/result.h"
#include "model/transaction.h"

namespace limpet::api {

// Errors: bad_request, longer than a document may be, no JSON, or no command.
Result<Command> command_in(std::string_view text);

// The commands of a list that is too long for one turn of the loop, one by one.
class CommandList {
 public:
  using Add = std::function<Result<void>(const Command&)>;

  explicit CommandList(std::string text) : text_(std::move(text)) {}
  CommandList(const CommandList&) = delete;  // its elements point into the text, which therefore stays where it is
  CommandList& operator=(const CommandList&) = delete;

  // Before anything else. Errors: bad_request, no list.
  Result<void> open();
  bool at_end() const { return at_end_; }
  // Gives `add` the next command, if there is one. What was refused: the list itself, or a command by its number.
  std::optional<Refusal> add_next(const Add& add);

 private:
  std::string text_;
  std::optional<ArrayElements> elements_;
  std::size_t count_ = 0;
  bool at_end_ = false;
};

// The problem document of a refusal, with the command's number if it was one.
nlohmann::json problem_of(const Refusal& refusal);

}  // namespace limpet::api
