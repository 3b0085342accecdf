// SPDX-License-Identifier: Apache-2.0
// Forgets what lblc and lblcr remember and nobody has asked for lately, a piece at a time. No choice waits for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/batch.h"
#include "dataplane/object.h"

namespace limpet::dataplane {

// How long an entry is kept without a use, in ticks, by the walk with this number through a table with `size` of
// `ceiling` entries. Every half hour `expiration` (seconds; 0: the default) counts; in between, if more than three
// quarters of the table are filled, six minutes (ip_vs_lblc.c, ip_vs_lblc_check_expire()). Nothing: as long as it
// likes.
std::optional<std::uint64_t> locality_life(std::uint64_t walk, std::uint32_t expiration, std::size_t size,
                                           std::size_t ceiling);

class LocalitySweep {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kInterval{60};  // from the beginning of one walk to that of the next
  static constexpr std::size_t kPiece = 512;            // entries a step

  explicit LocalitySweep(Object& object);

  // Call it as often as the sweeper.
  void step();

 private:
  template <class Value>
  struct Walk {
    explicit Walk(int descriptor) : fd(descriptor), entries(descriptor) {}
    int fd;
    BatchWalk<limpet_locality_key, Value> entries;
    std::size_t seen = 0;
    std::size_t last_seen = 0;  // by the walk before
    bool done = true;
  };

  template <class Value>
  void advance(Walk<Value>& walk, std::uint32_t expiration, std::uint32_t ceiling);

  Object& object_;
  Walk<limpet_locality> localities_;
  Walk<limpet_locality_set> sets_;
  Clock::time_point started_;
  std::uint64_t walks_ = 0;
};

}  // namespace limpet::dataplane
