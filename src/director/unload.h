// SPDX-License-Identifier: Apache-2.0
// Taking out what a daemon that is gone has left in the kernel.
#pragma once

#include <filesystem>

#include "model/result.h"

namespace limpet {

// Removes programs, maps, pins, qdiscs, rules, routes and devices and restores the sysctls recorded in the run
// directory, so that `limpet unload` works after a kill. Nothing left is success. Precondition: no limpetd serves the
// directory. Errors: permission (not root), internal (a system call failed; the text names what is still there).
Result<void> unload_leftovers(const std::filesystem::path& run_directory);

}  // namespace limpet
