// SPDX-License-Identifier: Apache-2.0
// What commands would do, asked in slices.
#pragma once

#include <memory>
#include <string>

#include "api/answer.h"
#include "director/director.h"
#include "model/result.h"

namespace limpet::api {

// Reads the commands of a JSON array, has the director look at its tables, and answers a ForesightLine a line; or one
// {"problem": …} with the index of the command that would be refused, as `command`. Nothing is changed.
// Errors: bad_request, the text is not an array.
Result<std::unique_ptr<BodySource>> what_if_run(Director& director, std::string commands);

}  // namespace limpet::api
