// SPDX-License-Identifier: Apache-2.0
// The tables of the schedulers that hash; those of IPVS bucket by bucket as the kernel fills them.
#include "dataplane/schedule_tables.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "dataplane/maglev_table.h"
#include "dataplane/siphash.h"

namespace limpet::dataplane {
namespace {

// ip_vs_dh_reassign(): each server in turn, whatever its weight.
std::vector<limpet_bucket> dh_table(const DestinationList& list) {
  std::vector<limpet_bucket> buckets(LIMPET_SH_BUCKETS);
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] = static_cast<limpet_bucket>(i % list.size());
  return buckets;
}

// ip_vs_sh_reassign(): each server as often as it has weight, before the next one's turn; once if it has none.
std::vector<limpet_bucket> sh_table(const DestinationList& list) {
  std::vector<limpet_bucket> buckets;
  buckets.reserve(LIMPET_SH_BUCKETS);
  for (std::size_t place = 0; buckets.size() < LIMPET_SH_BUCKETS; place = (place + 1) % list.size()) {
    const std::size_t wanted = std::max(1U, list[place].weight);
    const std::size_t room = LIMPET_SH_BUCKETS - buckets.size();
    buckets.insert(buckets.end(), std::min(wanted, room), static_cast<limpet_bucket>(place));
  }
  return buckets;
}

// An address as one word, in host order; IPv6 folded.
std::uint32_t folded(const Address& address) {
  std::uint32_t fold = 0;
  for (std::size_t at = 0; at < address.bytes().size(); at += sizeof(fold)) {
    std::uint32_t word = 0;
    std::memcpy(&word, &address.bytes()[at], sizeof(word));
    fold ^= word;
  }
  return ntohl(fold);
}

// hsiphash() of four bytes, least significant first, as 64-bit kernels have it (ip_vs_mh_hashkey()).
std::uint32_t mh_hash(const ListedDestination& server, std::uint64_t key) {
  const std::uint32_t sum = folded(server.address) + server.port.value;
  const std::uint32_t bytes = ntohl(__builtin_bswap32(sum));
  return static_cast<std::uint32_t>(SipHash13(key, key).add(std::uint64_t{4} << 56 | bytes).end());
}

// A server's way through the buckets, which it takes in turns with the others.
struct MhClaim {
  std::uint32_t next = 0;
  std::uint32_t skip = 0;
  std::uint32_t turns = 0;  // buckets before the next one's turn
};

// ip_vs_mh_gcd_weight(), ip_vs_mh_shift_weight(), ip_vs_mh_permutate(). The weights are the last ones other than 0, so
// that a server that is quiesced keeps its buckets.
std::vector<MhClaim> mh_claims(const DestinationList& list) {
  constexpr std::uint64_t kOffsetKey = 2654435761;
  constexpr std::uint64_t kSkipKey = 2654446892;
  constexpr int kWeightBits = 6;  // IP_VS_MH_TAB_BITS
  std::uint32_t divisor = 0;
  std::uint32_t highest = 0;
  for (const ListedDestination& server : list) {
    divisor = std::gcd(divisor, server.last_weight);
    highest = std::max(highest, server.last_weight);
  }
  std::vector<MhClaim> claims;
  if (divisor == 0) return claims;
  const int shift = std::max(0, static_cast<int>(std::bit_width(highest / divisor)) - kWeightBits);
  claims.reserve(list.size());
  for (const ListedDestination& server : list) {
    const std::uint32_t turns = server.last_weight / divisor >> shift;
    claims.push_back({mh_hash(server, kOffsetKey) % LIMPET_MH_BUCKETS,
                      mh_hash(server, kSkipKey) % (LIMPET_MH_BUCKETS - 1) + 1,
                      server.last_weight == 0 ? 0 : std::max(1U, turns)});
  }
  return claims;
}

// ip_vs_mh_populate().
std::vector<limpet_bucket> mh_table(const DestinationList& list) {
  std::vector<MhClaim> claims = mh_claims(list);
  if (claims.empty()) return {};
  std::vector<limpet_bucket> buckets(LIMPET_MH_BUCKETS);
  std::vector<bool> taken(LIMPET_MH_BUCKETS);
  std::uint32_t filled = 0;
  for (std::size_t place = 0;; place = (place + 1) % list.size()) {
    MhClaim& claim = claims[place];
    for (std::uint32_t turn = 0; turn < claim.turns; ++turn) {
      while (taken[claim.next]) claim.next = (claim.next + claim.skip) % LIMPET_MH_BUCKETS;
      taken[claim.next] = true;
      buckets[claim.next] = static_cast<limpet_bucket>(place);
      if (++filled == LIMPET_MH_BUCKETS) return buckets;
    }
  }
}

}  // namespace

std::uint32_t bucket_count(limpet_scheduler scheduler, std::size_t servers) {
  if (servers == 0) return 0;
  switch (scheduler) {
    case LIMPET_DH:
    case LIMPET_SH:
      return LIMPET_SH_BUCKETS;
    case LIMPET_MH:
      return LIMPET_MH_BUCKETS;
    case LIMPET_MAGLEV:
      return maglev_bucket_count(servers);
    default:
      return 0;
  }
}

std::vector<limpet_bucket> schedule_table(limpet_scheduler scheduler, const DestinationList& list, const HashKey& key) {
  if (list.empty()) return {};
  switch (scheduler) {
    case LIMPET_DH:
      return dh_table(list);
    case LIMPET_SH:
      return sh_table(list);
    case LIMPET_MH:
      return mh_table(list);
    case LIMPET_MAGLEV:
      return maglev_table(list, key);
    default:
      return {};
  }
}

}  // namespace limpet::dataplane
