// SPDX-License-Identifier: Apache-2.0
// Room in the flat map of destination lists.
#include "dataplane/list_space.h"

#include <algorithm>
#include <iterator>

namespace limpet::dataplane {

ListSpace::ListSpace(std::uint32_t size) { free_.emplace(0, size); }

std::optional<std::uint32_t> ListSpace::take(std::uint32_t length, Clock::time_point now) {
  reclaim(now);
  for (auto range = free_.begin(); range != free_.end(); ++range) {
    if (range->second < length) continue;
    const std::uint32_t base = range->first;
    occupy(base, length);
    return base;
  }
  return std::nullopt;
}

bool ListSpace::has_room(std::uint32_t length, Clock::time_point now) {
  reclaim(now);
  return std::any_of(free_.begin(), free_.end(), [length](const auto& range) { return range.second >= length; });
}

void ListSpace::reclaim_all() {
  for (const Returned& returned : returned_) add_free(returned.base, returned.length);
  returned_.clear();
}

void ListSpace::occupy(std::uint32_t base, std::uint32_t length) {
  auto range = free_.upper_bound(base);
  if (range == free_.begin()) return;
  --range;
  const std::uint32_t start = range->first;
  const std::uint32_t end = start + range->second;
  if (base + length > end) return;
  free_.erase(range);
  if (base > start) free_.emplace(start, base - start);
  if (base + length < end) free_.emplace(base + length, end - (base + length));
}

void ListSpace::give_back(std::uint32_t base, std::uint32_t length, Clock::time_point now) {
  returned_.push_back({base, length, now});
}

std::uint32_t ListSpace::free_entries() const {
  std::uint32_t sum = 0;
  for (const auto& [base, length] : free_) sum += length;
  return sum;
}

void ListSpace::reclaim(Clock::time_point now) {
  while (!returned_.empty() && now - returned_.front().when >= kGrace) {
    add_free(returned_.front().base, returned_.front().length);
    returned_.pop_front();
  }
}

void ListSpace::add_free(std::uint32_t base, std::uint32_t length) {
  auto next = free_.lower_bound(base);
  if (next != free_.end() && base + length == next->first) {
    length += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == base) {
      before->second += length;
      return;
    }
  }
  free_.emplace(base, length);
}

}  // namespace limpet::dataplane
