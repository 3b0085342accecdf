// SPDX-License-Identifier: Apache-2.0
#include "dataplane/alias_table.h"

#include <algorithm>
#include <numeric>

namespace limpet::dataplane {
namespace {

// The weights, scaled to a sum below 2^31.
std::vector<std::uint64_t> scaled_weights(const DestinationList& list) {
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 31) - 1;
  std::vector<std::uint64_t> weights;
  for (unsigned shift = 0;; ++shift) {
    weights.clear();
    for (const ListedDestination& d : list)
      weights.push_back(d.weight == 0 ? 0 : std::max<std::uint64_t>(1, d.weight >> shift));
    if (std::accumulate(weights.begin(), weights.end(), std::uint64_t{0}) <= kMost) return weights;
  }
}

}  // namespace

AliasTable alias_table(const DestinationList& list) {
  AliasTable table;
  table.columns.resize(list.size());
  std::vector<std::uint64_t> mass = scaled_weights(list);
  const auto first = std::find_if(mass.begin(), mass.end(), [](std::uint64_t weight) { return weight != 0; });
  if (first == mass.end()) return table;
  ++*first;
  table.extra = static_cast<std::uint32_t>(first - mass.begin());
  table.units = static_cast<std::uint32_t>(std::accumulate(mass.begin(), mass.end(), std::uint64_t{0}));

  // Each column holds `units`, all of them as many times as there are places: who has less than a column is filled up
  // by one who has more.
  std::vector<std::uint32_t> less;
  std::vector<std::uint32_t> more;
  for (std::uint32_t place = 0; place < mass.size(); ++place) {
    mass[place] *= mass.size();
    (mass[place] < table.units ? less : more).push_back(place);
  }
  while (!less.empty()) {
    const std::uint32_t poor = less.back();
    const std::uint32_t rich = more.back();
    less.pop_back();
    table.columns[poor] = {rich, static_cast<std::uint32_t>(mass[poor])};
    mass[rich] -= table.units - mass[poor];
    if (mass[rich] >= table.units) continue;
    more.pop_back();
    less.push_back(rich);
  }
  for (const std::uint32_t place : more) table.columns[place] = {place, table.units};
  return table;
}

}  // namespace limpet::dataplane
