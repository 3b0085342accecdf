// SPDX-License-Identifier: Apache-2.0
// Tables that have no room left, told once when it begins and once when it is over, however many packets it concerns.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bpf/abi.h"

namespace limpet {

class FullTables {
 public:
  using Clock = std::chrono::steady_clock;
  using WallClock = std::chrono::system_clock;
  static constexpr std::chrono::seconds kQuiet{10};    // without a packet that found no room: it may be over
  static constexpr std::chrono::hours kRemembered{1};  // so long after its end it is still told

  struct Seen {
    std::array<std::uint64_t, LIMPET_EVENTS> events{};  // the data plane's counts, since it was loaded
    bool flows_have_room = true;                        // by the last sweep
    bool templates_have_room = true;
  };

  // Call it every second or so. What it returns is for the log. The first call sets the starting point: what was
  // counted before is not told again.
  std::vector<std::string> update(const Seen& seen, Clock::time_point now, WallClock::time_point wall);
  // What is the matter now, and what was within the last hour.
  std::vector<std::string> sentences(Clock::time_point now) const;

 private:
  struct Episode {
    enum class Stage { none, full, over } stage = Stage::none;
    std::uint64_t base = 0;  // counted before it began
    std::uint64_t count = 0;
    Clock::time_point last{};  // time something found no room
    WallClock::time_point began{};
    WallClock::time_point ended{};
  };

  std::array<Episode, 3> episodes_;
  bool started_ = false;
};

}  // namespace limpet
