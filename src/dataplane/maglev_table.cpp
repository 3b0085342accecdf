// SPDX-License-Identifier: Apache-2.0
// Maglev (Eisenbud et al., NSDI 2016, 3.4): each server goes through the buckets in an order of its own and takes the
// next free one whenever it is its turn. The turns are ours: of weights that add up to W, a server of weight w has its
// turns W/w apart, beginning at 0. So shares are in proportion to the weights, to a bucket or two, and whoever comes,
// goes or is weighed anew leaves the others' turns in their order, which is what keeps most buckets with their servers.
#include "dataplane/maglev_table.h"

#include <endian.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "dataplane/siphash.h"

namespace limpet::dataplane {
namespace {

struct Claim {
  std::uint32_t next = 0;
  std::uint32_t skip = 0;
};

Claim claim_of(const ListedDestination& server, std::uint32_t buckets, const HashKey& key) {
  std::uint64_t halves[2];
  std::memcpy(halves, server.address.bytes().data(), sizeof(halves));
  SipHash13 hash(key.first, key.second);
  hash.add(be64toh(halves[0])).add(be64toh(halves[1])).add(std::uint64_t{18} << 56 | server.port.value);
  const std::uint64_t word = hash.end();
  return {static_cast<std::uint32_t>((word >> 32) % buckets),
          static_cast<std::uint32_t>((word & 0xffffffff) % (buckets - 1)) + 1};
}

// The places of those with a weight, in an order that knows nothing of how they were added.
std::vector<limpet_bucket> in_order(const DestinationList& list) {
  std::vector<limpet_bucket> places;
  for (std::size_t place = 0; place < list.size(); ++place)
    if (list[place].weight != 0) places.push_back(static_cast<limpet_bucket>(place));
  std::sort(places.begin(), places.end(), [&](limpet_bucket left, limpet_bucket right) {
    return std::tie(list[left].address, list[left].port) < std::tie(list[right].address, list[right].port);
  });
  return places;
}

// Whose turn it is, time after time, at least `buckets` times. About one turn falls into a unit of time, so that they
// are put in order by counting; of those in one unit the first in `places` comes first.
std::vector<limpet_bucket> turns_of(const DestinationList& list, const std::vector<limpet_bucket>& places,
                                    std::uint32_t buckets) {
  constexpr int kFraction = 16;
  std::uint64_t sum = 0;
  for (const limpet_bucket place : places) sum += list[place].weight;
  const auto each_turn = [&](const auto& visit) {
    for (const limpet_bucket place : places) {
      const std::uint64_t apart = (sum << kFraction) / list[place].weight;
      for (std::uint64_t time = 0; time >> kFraction < buckets; time += apart) visit(time >> kFraction, place);
    }
  };
  std::vector<std::uint32_t> begin(buckets + 1);
  each_turn([&](std::uint64_t unit, limpet_bucket) { ++begin[unit + 1]; });
  for (std::uint32_t unit = 0; unit < buckets; ++unit) begin[unit + 1] += begin[unit];
  std::vector<limpet_bucket> turns(begin[buckets]);
  each_turn([&](std::uint64_t unit, limpet_bucket place) { turns[begin[unit]++] = place; });
  return turns;
}

}  // namespace

std::uint32_t maglev_bucket_count(std::size_t servers) {
  // The largest primes below 2^12, 2^14, 2^16 and 2^17.
  for (const std::uint32_t size : {4093U, 16381U, 65521U})
    if (size >= 100 * servers) return size;
  return 131071;
}

std::vector<limpet_bucket> maglev_table(const DestinationList& list, const HashKey& key) {
  const std::uint32_t size = maglev_bucket_count(list.size());
  const std::vector<limpet_bucket> places = in_order(list);
  if (places.empty()) return {};
  std::vector<Claim> claims(list.size());
  for (const limpet_bucket place : places) claims[place] = claim_of(list[place], size, key);
  std::vector<limpet_bucket> buckets(size);
  std::vector<bool> taken(size);
  std::uint32_t filled = 0;
  for (const limpet_bucket place : turns_of(list, places, size)) {
    auto& [next, skip] = claims[place];
    while (taken[next]) next = next + skip < size ? next + skip : next + skip - size;
    taken[next] = true;
    buckets[next] = place;
    if (++filled == size) break;
  }
  return buckets;
}

}  // namespace limpet::dataplane
