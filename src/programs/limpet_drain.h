// SPDX-License-Identifier: Apache-2.0
// `limpet drain`.
#pragma once

#include <filesystem>

#include "model/result.h"
#include "programs/limpet_arguments.h"

namespace limpet {

inline constexpr int kNotDrained = 3;     // exit code: the time of --until has passed
inline constexpr int kInterrupted = 130;  // ... and by Ctrl-C, as a shell has it

// Sets the server's weight to 0 and waits until it is drained. The value: the exit code.
Result<int> drain(const std::filesystem::path& run_directory, const DrainArguments& arguments);

}  // namespace limpet
