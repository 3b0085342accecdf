// SPDX-License-Identifier: Apache-2.0
// Walks the localities of lblc and lblcr.
#include "dataplane/locality_sweep.h"

#include <bpf/bpf.h>

#include <algorithm>

#include "dataplane/clock.h"

namespace limpet::dataplane {

std::optional<std::uint64_t> locality_life(std::uint64_t walk, std::uint32_t expiration, std::size_t size,
                                           std::size_t ceiling) {
  constexpr std::uint64_t kFullWalk = 30;
  constexpr std::uint64_t kIdle = LIMPET_SECONDS_TO_TICKS(360);
  const std::uint64_t lasts =
      LIMPET_SECONDS_TO_TICKS(std::uint64_t{expiration != 0 ? expiration : LIMPET_LOCALITY_SECONDS});
  if (size > ceiling / 4 * 3) return std::min(lasts, kIdle);
  if (walk % kFullWalk == 0) return lasts;
  return std::nullopt;
}

LocalitySweep::LocalitySweep(Object& object)
    : object_(object),
      localities_(object.map_fd("localities")),
      sets_(object.map_fd("locality_sets")),
      started_(Clock::now()) {}

void LocalitySweep::step() {
  const auto now = Clock::now();
  if (localities_.done && sets_.done) {
    if (now - started_ < kInterval) return;
    started_ = now;
    ++walks_;
    localities_.done = sets_.done = false;
  }
  const limpet_config& config = object_.config[0];
  const std::uint32_t ceiling = object_.locality_ceiling();
  if (!localities_.done)
    advance(localities_, load_word(config.lblc_expiration), ceiling);
  else
    advance(sets_, load_word(config.lblcr_expiration), ceiling);
}

// An entry may be used between the look at its copy and its end: then its address is given a server anew once. A packet
// that has found it writes `used` into what may be another entry by then, which lives the longer for it.
template <class Value>
void LocalitySweep::advance(Walk<Value>& walk, std::uint32_t expiration, std::uint32_t ceiling) {
  const std::size_t count = walk.entries.next(kPiece);
  if (count == 0) {
    walk.done = true;
    walk.last_seen = walk.seen;
    walk.seen = 0;
    return;
  }
  walk.seen += count;
  const auto life = locality_life(walks_, expiration, walk.last_seen, ceiling);
  const std::uint64_t now = ticks_now();
  for (std::size_t i = 0; i < count; ++i) {
    const limpet_locality_key& key = walk.entries.key(i);
    const bool left = key.service < object_.service_states.size() &&
                      load_word(object_.service_states[key.service].epoch) != key.epoch;
    const std::uint64_t used = walk.entries.value(i).used;
    if (left || (life && now > used && now - used > *life)) ::bpf_map_delete_elem(walk.fd, &key);
  }
}

}  // namespace limpet::dataplane
