// SPDX-License-Identifier: Apache-2.0
// Two tables of buckets, compared.
#include "dataplane/hash_shares.h"

#include <algorithm>
#include <utility>

#include "dataplane/schedule_tables.h"

namespace limpet::dataplane {
namespace {

// The server of bucket `index` of `of`, by a table that may have another size (maglev's, which scales the hash to it).
const ListedDestination* server_at(const std::vector<limpet_bucket>& table, const DestinationList& list,
                                   std::uint64_t index, std::uint64_t of) {
  return table.empty() ? nullptr : &list[table[(2 * index + 1) * table.size() / (2 * of)]];
}

}  // namespace

std::optional<HashShares> hash_shares(const Service& before, const DestinationList& servers_before,
                                      const Service& after, const DestinationList& servers_after, const HashKey& key) {
  const auto scheduler = scheduler_from_name(after.scheduler);
  const auto kind = scheduler ? static_cast<limpet_scheduler>(*scheduler) : LIMPET_WLC;
  if (before.scheduler != after.scheduler || bucket_count(kind, 1) == 0) return std::nullopt;
  const auto old_table = schedule_table(kind, servers_before, key);
  const auto new_table = schedule_table(kind, servers_after, key);
  HashShares shares;
  shares.buckets = bucket_count(kind, std::max<std::size_t>(1, servers_after.size()));
  const bool falls_back = (after.scheduler_flags & sched_flag_1) != 0 && scheduler != Scheduler::dh;
  for (std::uint32_t i = 0; i < shares.buckets; ++i) {
    const ListedDestination* from = server_at(old_table, servers_before, i, shares.buckets);
    const ListedDestination* to = server_at(new_table, servers_after, i, shares.buckets);
    const bool was_taken = from != nullptr && from->weight != 0;
    const bool is_taken = to != nullptr && to->weight != 0;
    if (!is_taken && !falls_back) {
      ++shares.refused;
    } else if (was_taken) {
      const bool is_same = is_taken && std::pair(from->address, from->port) == std::pair(to->address, to->port);
      if (!is_same) ++shares.moved;
    }
  }
  return shares;
}

}  // namespace limpet::dataplane
