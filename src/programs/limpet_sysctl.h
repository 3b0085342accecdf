// SPDX-License-Identifier: Apache-2.0
// `limpet sysctl`: the settings net.ipv4.vs.* in the manner of sysctl(8).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/result.h"

namespace limpet {

struct SysctlArguments {
  std::vector<std::string> words;  // net.ipv4.vs.NAME or net.ipv4.vs.NAME=VALUE, with slashes or dots
  bool all = false;
  bool values_only = false;
  bool write = false;
};

// Word by word, as sysctl(8): one that fails is told and does not keep the others from being done. The error is the
// last one's.
Result<void> run_sysctl(const std::filesystem::path& run_directory, const SysctlArguments& arguments, bool as_json);

}  // namespace limpet
