// SPDX-License-Identifier: Apache-2.0
// Cuts the text of a long JSON array into the texts of its elements.
#include "api/json_array.h"

#include <string>

namespace limpet::api {
namespace {

constexpr std::string_view kWhitespace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kWhitespace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhitespace) - first + 1);
}

// Where the element that begins at `begin` ends: at a comma or the end of the text that stand in no bracket and no
// string. npos: they do not match.
std::size_t end_of_element(std::string_view text, std::size_t begin) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      if (depth-- == 0) return std::string_view::npos;
    } else if (c == ',' && depth == 0) {
      return i;
    }
  }
  return depth == 0 && !in_string ? text.size() : std::string_view::npos;
}

}  // namespace

Result<ArrayElements> ArrayElements::open(std::string_view text) {
  text = trimmed(text);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    return Error{ErrorCode::bad_request, "the body must be a list of commands"};
  }
  return ArrayElements(trimmed(text.substr(1, text.size() - 2)));
}

Result<std::optional<std::string_view>> ArrayElements::next() {
  if (ended_) return std::optional<std::string_view>();
  const std::size_t end = end_of_element(text_, position_);
  if (end == std::string_view::npos) return Error{ErrorCode::bad_request, "the body is not valid JSON"};
  const auto element = text_.substr(position_, end - position_);
  position_ = end + 1;
  ended_ = position_ > text_.size();
  return std::optional(element);
}

Result<std::vector<std::string_view>> split_array(std::string_view text, std::size_t most) {
  auto list = ArrayElements::open(text);
  if (!list) return list.error();
  std::vector<std::string_view> elements;
  while (true) {
    const auto element = list->next();
    if (!element) return element.error();
    if (!*element) return elements;
    if (elements.size() == most) {
      return Error{ErrorCode::bad_request, "a request may carry " + std::to_string(most) + " commands and no more"};
    }
    elements.push_back(**element);
  }
}

}  // namespace limpet::api
