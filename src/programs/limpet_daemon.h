// SPDX-License-Identifier: Apache-2.0
// `limpet status` and `limpet unload`.
#pragma once

#include <filesystem>

#include "model/result.h"

namespace limpet {

Result<void> show_status(const std::filesystem::path& run_directory, bool as_json);

// With a daemon or without.
Result<void> unload(const std::filesystem::path& run_directory);

}  // namespace limpet
