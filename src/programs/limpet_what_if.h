// SPDX-License-Identifier: Apache-2.0
// `limpet what-if`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/result.h"

namespace limpet {

struct WhatIfArguments {
  std::vector<std::string> words;  // a change, as limpetadm takes it; -R: rules from the standard input
  std::string file;                // of rules; empty: none
};

Result<void> show_what_if(const std::filesystem::path& run_directory, const WhatIfArguments& arguments, bool as_json);

}  // namespace limpet
