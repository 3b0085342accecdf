// SPDX-License-Identifier: Apache-2.0
// One element of a list of commands.
#pragma once

#include <string_view>

#include "model/command.h"
#include "model/result.h"

namespace limpet::api {

// Errors: bad_request, longer than a document may be, no JSON, or no command.
Result<Command> command_in(std::string_view text);

}  // namespace limpet::api
