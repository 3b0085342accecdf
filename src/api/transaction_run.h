// SPDX-License-Identifier: Apache-2.0
// The answer to a list of commands of which all are to be carried out or none.
#pragma once

#include <memory>
#include <string>

#include "api/answer.h"
#include "director/director.h"
#include "model/result.h"

namespace limpet::api {

// Reads, checks and carries out the JSON array `commands` in slices of a few milliseconds, then answers null or a
// problem, whose member "command" says which one is refused. A client that goes away before they are carried out has
// changed nothing. Errors: bad_request, the text is not an array.
Result<std::unique_ptr<BodySource>> transaction_run(Director& director, std::string commands);

}  // namespace limpet::api
