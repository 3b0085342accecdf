// SPDX-License-Identifier: Apache-2.0
#include "dataplane/list_range.h"

#include <cstring>

#include "dataplane/alias_table.h"
#include "dataplane/schedule_tables.h"

namespace limpet::dataplane {
namespace {

constexpr std::size_t kKeyEntries = 2;  // a half each

}  // namespace

bool has_table(limpet_scheduler scheduler) { return bucket_count(scheduler, 1) != 0; }

std::uint32_t range_length(limpet_scheduler scheduler, std::size_t destinations) {
  const std::uint32_t buckets = bucket_count(scheduler, destinations);
  const std::size_t columns = scheduler == LIMPET_TWOS ? destinations : 0;
  return LIMPET_LIST_HEADER + static_cast<std::uint32_t>(destinations + columns) +
         (buckets + LIMPET_ENTRY_BUCKETS - 1) / LIMPET_ENTRY_BUCKETS +
         (scheduler == LIMPET_MAGLEV && destinations != 0 ? kKeyEntries : 0);
}

HashKey key_of_range(std::span<const limpet_list_entry> range) {
  HashKey key;
  std::memcpy(&key.first, &range[range.size() - 2], sizeof(key.first));
  std::memcpy(&key.second, &range[range.size() - 1], sizeof(key.second));
  return key;
}

std::vector<limpet_list_entry> list_range(const Scheduling& scheduling, CursorStart start,
                                          const DestinationList& list) {
  const WeightSummary weights = summarize_weights(list);
  std::vector<limpet_list_entry> range;
  range.reserve(range_length(scheduling.scheduler, list.size()));
  range.push_back({start.index, start.value});
  range.push_back({weights.highest, weights.gcd});
  for (const ListedDestination& destination : list) range.push_back({destination.id, destination.weight});
  if (scheduling.scheduler == LIMPET_TWOS) {
    const AliasTable table = alias_table(list);
    range[0] = {table.units, table.extra};
    range.insert(range.end(), table.columns.begin(), table.columns.end());
  }
  if (!has_table(scheduling.scheduler)) return range;

  const std::vector<limpet_bucket> buckets = schedule_table(scheduling.scheduler, list, scheduling.key);
  range[0] = {scheduling.flags, static_cast<std::uint32_t>(buckets.size())};
  range.resize(range_length(scheduling.scheduler, list.size()));
  if (!buckets.empty())
    std::memcpy(&range[LIMPET_LIST_HEADER + list.size()], buckets.data(), buckets.size() * sizeof(limpet_bucket));
  if (scheduling.scheduler == LIMPET_MAGLEV && !list.empty()) {
    std::memcpy(&range[range.size() - 2], &scheduling.key.first, sizeof(scheduling.key.first));
    std::memcpy(&range[range.size() - 1], &scheduling.key.second, sizeof(scheduling.key.second));
  }
  return range;
}

}  // namespace limpet::dataplane
