// SPDX-License-Identifier: Apache-2.0
#include "programs/limpet_print.h"

#include <cerrno>
#include <cstdio>

namespace limpet {

bool print(const std::string& text) { return std::fwrite(text.data(), 1, text.size(), stdout) == text.size(); }

Result<void> printed(bool all) {
  if (all && std::fflush(stdout) == 0) return {};
  return system_error("cannot write the answer", errno);
}

}  // namespace limpet
