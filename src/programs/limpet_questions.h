// SPDX-License-Identifier: Apache-2.0
// `limpet services`, `limpet sessions` and `limpet explain`: ask the daemon and print its answer.
#pragma once

#include <filesystem>

#include "model/result.h"
#include "programs/limpet_arguments.h"

namespace limpet {

Result<void> show_services(const std::filesystem::path& run_directory, bool as_json);
Result<void> show_sessions(const std::filesystem::path& run_directory, const SessionArguments& arguments, bool as_json);
Result<void> show_explanation(const std::filesystem::path& run_directory, const ExplainArguments& arguments,
                              bool as_json);

}  // namespace limpet
