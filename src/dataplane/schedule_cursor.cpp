// SPDX-License-Identifier: Apache-2.0
// Where rr and wrr go on after an edit.
#include "dataplane/schedule_cursor.h"

#include <algorithm>
#include <numeric>

namespace limpet::dataplane {
namespace {

// ip_vs_rr_del_dest(): the cursor falls back to the one before a removed destination, or to the head.
CursorStart rr_start(const DestinationList& before, CursorStart cursor, const DestinationList& after) {
  if (cursor.index >= before.size()) return {};
  for (std::size_t i = cursor.index + 1; i-- > 0;) {
    const auto same = [&](const ListedDestination& d) { return d.id == before[i].id; };
    const auto found = std::find_if(after.begin(), after.end(), same);
    if (found != after.end()) return {static_cast<std::uint32_t>(found - after.begin()), 0};
  }
  return {};
}

// ip_vs_wrr_dest_changed(): from the head, the current weight kept within the new range.
CursorStart wrr_start(bool fresh, CursorStart cursor, const DestinationList& after) {
  const WeightSummary weights = summarize_weights(after);
  const std::uint32_t top = weights.highest == 0 ? 0 : weights.highest - (weights.gcd - 1);
  std::uint32_t value = cursor.value;
  if (fresh || value > top || value == 0)
    value = top;
  else if (weights.gcd > 1)
    value = value / weights.gcd * weights.gcd + 1;
  return {LIMPET_CURSOR_HEAD, value};
}

}  // namespace

WeightSummary summarize_weights(const DestinationList& list) {
  WeightSummary summary{0, 0};
  for (const ListedDestination& d : list) {
    summary.highest = std::max(summary.highest, d.weight);
    summary.gcd = std::gcd(summary.gcd, d.weight);
  }
  if (summary.gcd == 0) summary.gcd = 1;
  return summary;
}

CursorStart start_after_edit(limpet_scheduler scheduler, Edit edit, const DestinationList& before, CursorStart cursor,
                             const DestinationList& after) {
  if (edit == Edit::none) return cursor;
  const bool fresh = edit == Edit::scheduler;
  if (scheduler == LIMPET_WRR) return wrr_start(fresh, cursor, after);
  return fresh ? CursorStart{} : rr_start(before, cursor, after);
}

}  // namespace limpet::dataplane
