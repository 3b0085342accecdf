// SPDX-License-Identifier: Apache-2.0
// Counts sessions.
#include "dataplane/remaining_walk.h"

#include <algorithm>

namespace limpet::dataplane {

bool RemainingWalk::next(std::size_t limit) {
  const auto flow = [this](const limpet_flow4_key& key, const limpet_flow& value, std::uint64_t now) {
    if (!filter_.wants(key, value)) return;
    ++seen_.connections;
    seen_.connections_last = std::max(seen_.connections_last, seconds_left(FlowWord(value.word).expiry, now));
  };
  const auto entry = [this](const limpet_template4_key& key, const limpet_template& value, std::uint64_t now) {
    if (!filter_.wants(key, value)) return;
    ++seen_.clients;
    seen_.clients_last =
        std::max(seen_.clients_last, seconds_left(TemplateWord(value.word).effective_expiry(now), now));
  };
  return !filter_.is_empty() && walk_.next(limit, flow, entry);
}

}  // namespace limpet::dataplane
