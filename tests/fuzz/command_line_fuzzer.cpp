// SPDX-License-Identifier: Apache-2.0
// libFuzzer's entrance to command lines.
#include <cstddef>
#include <cstdint>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  limpet::fuzz::read_command_line({reinterpret_cast<const char*>(data), size});
  return 0;
}
