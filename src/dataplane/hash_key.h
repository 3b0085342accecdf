// SPDX-License-Identifier: Apache-2.0
// The secret of the scheduler maglev.
#pragma once

#include <cstdint>

namespace limpet::dataplane {

struct HashKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  bool operator==(const HashKey&) const = default;
};

}  // namespace limpet::dataplane
