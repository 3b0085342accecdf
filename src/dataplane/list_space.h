// SPDX-License-Identifier: Apache-2.0
// Room in the flat map of destination lists: ranges are handed out, and come back only after a grace period in which
// packets may still read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

namespace limpet::dataplane {

class ListSpace {
 public:
  using Clock = std::chrono::steady_clock;
  // Far longer than any packet program runs.
  static constexpr std::chrono::seconds kGrace{2};

  explicit ListSpace(std::uint32_t size);

  // First fit. Nothing: no range that large is free.
  std::optional<std::uint32_t> take(std::uint32_t length, Clock::time_point now);
  // Marks a range of an adopted data plane as in use. Precondition: it is free.
  void occupy(std::uint32_t base, std::uint32_t length);
  void give_back(std::uint32_t base, std::uint32_t length, Clock::time_point now);
  // Whether take() would find a range.
  bool has_room(std::uint32_t length, Clock::time_point now);
  // Everything given back is free at once. Precondition: no packet program that ran when it came back runs still.
  void reclaim_all();
  std::uint32_t free_entries() const;

 private:
  struct Returned {
    std::uint32_t base;
    std::uint32_t length;
    Clock::time_point when;
  };
  void reclaim(Clock::time_point now);
  void add_free(std::uint32_t base, std::uint32_t length);

  std::map<std::uint32_t, std::uint32_t> free_;  // base → length; neighbours are always joined
  std::deque<Returned> returned_;
};

}  // namespace limpet::dataplane
