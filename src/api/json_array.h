// SPDX-License-Identifier: Apache-2.0
// Cuts the text of a long JSON array into the texts of its elements, so that these can be read one by one.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "model/result.h"

namespace limpet::api {

// The elements' texts, pointing into `text`. Only commas, brackets and quotes are looked at: each element is still to
// be parsed. Errors: bad_request, no array or more than `most` elements.
Result<std::vector<std::string_view>> split_array(std::string_view text, std::size_t most);

}  // namespace limpet::api
