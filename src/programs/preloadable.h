// SPDX-License-Identifier: Apache-2.0
// Whether a library can be loaded into a program that is about to be run.
#pragma once

#include <optional>
#include <string>

namespace limpet {

// Where execvp() finds the program; nullopt: nowhere, or not to be run.
std::optional<std::string> find_program(const std::string& word);

// Why LD_PRELOAD has no effect on it, as the end of a sentence; null: it has, as far as its file says. A script is
// judged as it is.
const char* why_not_preloadable(const std::string& program);

}  // namespace limpet
