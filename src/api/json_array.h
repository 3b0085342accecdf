// SPDX-License-Identifier: Apache-2.0
// Cuts the text of a long JSON array into the texts of its elements, so that these can be read one by one.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "model/result.h"

namespace limpet::api {

// One element after another, for lists too long to be cut in one turn of the loop.
class ArrayElements {
 public:
  // Errors: bad_request, no array. `text` must outlive it.
  static Result<ArrayElements> open(std::string_view text);
  // The next element's text; nullopt: the end. Only commas, brackets and quotes are looked at.
  Result<std::optional<std::string_view>> next();

 private:
  explicit ArrayElements(std::string_view text) : text_(text), ended_(text.empty()) {}

  std::string_view text_;
  std::size_t position_ = 0;
  bool ended_;
};

// The elements' texts, pointing into `text`; each is still to be parsed. Errors: bad_request, no array or more than
// `most` elements.
Result<std::vector<std::string_view>> split_array(std::string_view text, std::size_t most);

}  // namespace limpet::api
