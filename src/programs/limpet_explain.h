// SPDX-License-Identifier: Apache-2.0
// The sentences of `limpet explain`.
#pragma once

#include <string>

#include "model/explanation.h"

namespace limpet {

// What becomes of the packet, then why, then what else is worth knowing; a line each.
std::string explanation_text(const ExplainQuestion& question, const Explanation& explanation);

}  // namespace limpet
