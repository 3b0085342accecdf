// SPDX-License-Identifier: Apache-2.0
// limpetd's command line and configuration file.
#pragma once

#include <spdlog/common.h>

#include <optional>

#include "director/options.h"
#include "model/result.h"

namespace limpet {

struct DaemonOptions {
  DirectorOptions director;
  spdlog::level::level_enum log_level = spdlog::level::info;
  std::optional<int> exit_code;  // --help and the like have been answered: end with this
};

// The command line wins over the file. Errors name the offending option, or the file's line and key.
Result<DaemonOptions> read_daemon_options(int argc, const char* const* argv);

}  // namespace limpet
