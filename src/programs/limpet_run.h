// SPDX-License-Identifier: Apache-2.0
// `limpet run`: a program that knows IPVS talks to limpetd instead.
#pragma once

#include <string>

namespace limpet {

// The exit statuses a shell gives.
constexpr int kNotFound = 127;
constexpr int kNotToBeRun = 126;

// Prints it after the program's name, as an error; returns `status`.
int say(const std::string& text, int status);

// Becomes the program whose words end with a null pointer, with `library` loaded into it. Returns only where that
// cannot be, having said why: kNotFound or kNotToBeRun.
int run_program(const std::string& library, const std::string& run_directory, char** words);

}  // namespace limpet
