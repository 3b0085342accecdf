// SPDX-License-Identifier: Apache-2.0
// Answers on the standard output.
#pragma once

#include <string>

#include "model/result.h"

namespace limpet {

bool print(const std::string& text);  // false: not all of it could be written

// A full disk behind a redirection is no success. `all`: what was printed before could be.
Result<void> printed(bool all);

}  // namespace limpet
