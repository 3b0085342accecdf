// SPDX-License-Identifier: Apache-2.0
// Errors in ipvsadm's words.
#pragma once

#include <string>

#include "model/result.h"

namespace limpet::ipvsadm {

// Whether there is nobody to talk to, which is no answer to the command: exit code 2, and a restore ends.
bool is_unreachable(const Error& error);

// One line without its break. Where ipvsadm has a sentence for it, that one, word for word.
std::string error_text(const Error& error);

}  // namespace limpet::ipvsadm
