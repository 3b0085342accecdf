// SPDX-License-Identifier: Apache-2.0
#include "api/command_text.h"

#include "api/routes.h"
#include "json/json.h"

namespace limpet::api {

Result<Command> command_in(std::string_view text) {
  if (text.size() > kDocumentLimit) return Error{ErrorCode::bad_request, "the command is longer than 64 KiB"};
  const auto json = json_codec::parse_text(text, "the command");
  if (!json) return json.error();
  return json_codec::command_from_json(*json, "");
}

Result<void> CommandList::open() {
  auto elements = ArrayElements::open(text_);
  if (!elements) return elements.error();
  elements_ = *elements;
  return {};
}

std::optional<Refusal> CommandList::add_next(const Add& add) {
  const auto element = elements_->next();
  if (!element) return Refusal{element.error(), std::nullopt};
  at_end_ = !*element;
  if (at_end_) return std::nullopt;
  const std::size_t number = count_++;
  const auto command = command_in(**element);
  if (!command) return Refusal{command.error(), number};
  if (const auto added = add(*command); !added) return Refusal{added.error(), number};
  return std::nullopt;
}

nlohmann::json problem_of(const Refusal& refusal) {
  auto problem = json_codec::problem_to_json(refusal.error);
  if (refusal.command) problem["command"] = *refusal.command;
  return problem;
}

}  // namespace limpet::api
