// SPDX-License-Identifier: Apache-2.0
// Connection thresholds.
#include "dataplane/overload.h"

#include "dataplane/mapped_array.h"

namespace limpet::dataplane {

bool is_overloaded(std::uint32_t upper, std::uint32_t lower, std::int64_t connections, bool before) {
  if (upper == 0) return false;
  if (connections >= upper) return true;
  return before && connections >= (lower != 0 ? lower : upper - upper / 4);
}

// Who has written looks again, as others judge by other numbers at the same time.
void judge_overload(const limpet_destination& destination, limpet_counts& counts) {
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    const bool before = load_word(counts.overloaded) != 0;
    const bool now = is_overloaded(load_word(destination.upper_threshold), load_word(destination.lower_threshold),
                                   load_word(counts.total), before);
    if (now == before) return;
    store_word(counts.overloaded, now ? 1U : 0U);
  }
}

}  // namespace limpet::dataplane
