// SPDX-License-Identifier: Apache-2.0
// Ranges of the flat list map: who gets which, and when a returned one may be given away again.
#include "dataplane/list_space.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace limpet::dataplane {
namespace {

using std::chrono::milliseconds;

const ListSpace::Clock::time_point kStart{std::chrono::hours(1)};
const ListSpace::Clock::time_point kLater = kStart + ListSpace::kGrace;

TEST(ListSpace, the_first_range_that_is_large_enough_is_taken) {
  ListSpace space(100);
  EXPECT_EQ(space.take(10, kStart), 0u);
  EXPECT_EQ(space.take(5, kStart), 10u);
  EXPECT_EQ(space.take(10, kStart), 15u);
  space.give_back(10, 5, kStart);
  EXPECT_EQ(space.take(6, kLater), 25u) << "5 free entries are not enough";
  EXPECT_EQ(space.take(4, kLater), 10u);
  EXPECT_EQ(space.take(1, kLater), 14u) << "what was left of that range";
}

TEST(ListSpace, a_returned_range_is_not_given_away_while_packets_may_still_read_it) {
  ListSpace space(8);
  ASSERT_EQ(space.take(8, kStart), 0u);
  space.give_back(0, 8, kStart);
  EXPECT_EQ(space.take(1, kStart), std::nullopt);
  EXPECT_EQ(space.take(1, kLater - milliseconds(1)), std::nullopt);
  EXPECT_EQ(space.take(8, kLater), 0u);
}

TEST(ListSpace, each_returned_range_waits_out_its_own_grace_period) {
  ListSpace space(8);
  ASSERT_EQ(space.take(4, kStart), 0u);
  ASSERT_EQ(space.take(4, kStart), 4u);
  space.give_back(4, 4, kStart);
  space.give_back(0, 4, kStart + milliseconds(500));
  EXPECT_EQ(space.take(4, kLater), 4u);
  EXPECT_EQ(space.take(4, kLater), std::nullopt);
  EXPECT_EQ(space.take(4, kLater + milliseconds(500)), 0u);
}

TEST(ListSpace, neighbouring_ranges_are_joined_in_whatever_order_they_come_back) {
  const std::vector<std::vector<std::uint32_t>> orders{{0, 4, 8}, {0, 8, 4}, {4, 0, 8},
                                                       {4, 8, 0}, {8, 0, 4}, {8, 4, 0}};
  for (const auto& order : orders) {
    ListSpace space(12);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(space.take(4, kStart).has_value());
    for (const std::uint32_t base : order) space.give_back(base, 4, kStart);
    EXPECT_EQ(space.take(12, kLater), 0u);
  }
}

TEST(ListSpace, a_full_space_gives_nothing_and_stays_as_it_was) {
  ListSpace space(10);
  EXPECT_EQ(space.take(11, kStart), std::nullopt);
  EXPECT_EQ(space.free_entries(), 10u);
  ASSERT_EQ(space.take(10, kStart), 0u);
  EXPECT_EQ(space.take(1, kStart), std::nullopt);
  EXPECT_EQ(space.free_entries(), 0u);
}

TEST(ListSpace, scattered_room_does_not_make_a_range) {
  ListSpace space(6);
  for (std::uint32_t i = 0; i < 3; ++i) ASSERT_EQ(space.take(2, kStart), 2 * i);
  space.give_back(0, 2, kStart);
  space.give_back(4, 2, kStart);
  EXPECT_EQ(space.take(3, kLater), std::nullopt);
  EXPECT_EQ(space.free_entries(), 4u);
}

TEST(ListSpace, has_room_says_what_take_would_find) {
  ListSpace space(10);
  EXPECT_FALSE(space.has_room(11, kStart));
  EXPECT_TRUE(space.has_room(10, kStart));
  ASSERT_EQ(space.take(6, kStart), 0u);
  EXPECT_FALSE(space.has_room(5, kStart));
  space.give_back(0, 6, kStart);
  EXPECT_FALSE(space.has_room(5, kStart));
  EXPECT_TRUE(space.has_room(5, kLater));
}

TEST(ListSpace, a_burst_of_changes_need_not_wait_once_no_packet_reads_the_old_ranges) {
  ListSpace space(8);
  ASSERT_EQ(space.take(8, kStart), 0u);
  space.give_back(0, 8, kStart);
  EXPECT_EQ(space.take(8, kStart), std::nullopt);
  space.reclaim_all();
  EXPECT_EQ(space.take(8, kStart), 0u);
  EXPECT_EQ(space.take(1, kLater), std::nullopt) << "no range comes back twice";
}

TEST(ListSpace, ranges_of_an_adopted_data_plane_are_left_alone) {
  ListSpace space(20);
  space.occupy(5, 5);
  space.occupy(0, 2);
  space.occupy(17, 3);
  EXPECT_EQ(space.free_entries(), 10u);
  EXPECT_EQ(space.take(4, kStart), 10u);
  EXPECT_EQ(space.take(3, kStart), 2u);
  EXPECT_EQ(space.take(3, kStart), 14u);
  EXPECT_EQ(space.take(1, kStart), std::nullopt);
  space.give_back(5, 5, kStart);
  EXPECT_EQ(space.take(5, kLater), 5u) << "and come back like all others";
}

TEST(ListSpace, says_beforehand_whether_a_range_would_be_found) {
  ListSpace space(8);
  ASSERT_EQ(space.take(4, kStart), 0u);
  EXPECT_TRUE(space.has_room(4, kStart));
  EXPECT_FALSE(space.has_room(5, kStart));
  space.give_back(0, 4, kStart);
  EXPECT_FALSE(space.has_room(8, kStart));
  EXPECT_TRUE(space.has_room(8, kLater));
  EXPECT_EQ(space.take(8, kLater), 0u) << "asking takes nothing";
}

TEST(ListSpace, everything_returned_can_be_had_at_once_when_no_packet_reads_it_any_more) {
  ListSpace space(8);
  ASSERT_EQ(space.take(4, kStart), 0u);
  ASSERT_EQ(space.take(4, kStart), 4u);
  space.give_back(4, 4, kStart);
  space.give_back(0, 4, kStart);
  space.reclaim_all();
  EXPECT_EQ(space.take(8, kStart), 0u);
  EXPECT_EQ(space.take(1, kLater), std::nullopt) << "and is not freed a second time";
}

// Entry by entry: the same rules without ranges.
class EntryModel {
 public:
  explicit EntryModel(std::size_t size) : entries_(size) {}

  std::optional<std::uint32_t> take(std::uint32_t length, ListSpace::Clock::time_point now) {
    for (Entry& entry : entries_)
      if (entry.use == Use::returned && now - entry.when >= ListSpace::kGrace) entry.use = Use::free;
    for (std::uint32_t base = 0; base + length <= entries_.size(); ++base) {
      if (!all_free(base, length)) continue;
      set(base, length, Use::taken, now);
      return base;
    }
    return std::nullopt;
  }
  void give_back(std::uint32_t base, std::uint32_t length, ListSpace::Clock::time_point now) {
    set(base, length, Use::returned, now);
  }
  std::uint32_t free_entries() const {
    std::uint32_t sum = 0;
    for (const Entry& entry : entries_) sum += entry.use == Use::free ? 1 : 0;
    return sum;
  }

 private:
  enum class Use { free, taken, returned };
  struct Entry {
    Use use = Use::free;
    ListSpace::Clock::time_point when;
  };
  bool all_free(std::uint32_t base, std::uint32_t length) const {
    for (std::uint32_t i = base; i < base + length; ++i)
      if (entries_[i].use != Use::free) return false;
    return true;
  }
  void set(std::uint32_t base, std::uint32_t length, Use use, ListSpace::Clock::time_point now) {
    for (std::uint32_t i = base; i < base + length; ++i) entries_[i] = {use, now};
  }

  std::vector<Entry> entries_;
};

TEST(ListSpace, behaves_like_a_space_managed_entry_by_entry) {
  struct Range {
    std::uint32_t base, length;
  };
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    ListSpace space(128);
    EntryModel model(128);
    std::vector<Range> taken;
    auto now = kStart;
    for (int step = 0; step < 1000; ++step) {
      now += milliseconds(random() % 200);
      if (random() % 2 == 0 || taken.empty()) {
        const std::uint32_t length = 2 + random() % 20;
        const auto base = space.take(length, now);
        ASSERT_EQ(base, model.take(length, now)) << "seed " << seed << ", step " << step;
        if (base) taken.push_back({*base, length});
      } else {
        std::swap(taken[random() % taken.size()], taken.back());
        space.give_back(taken.back().base, taken.back().length, now);
        model.give_back(taken.back().base, taken.back().length, now);
        taken.pop_back();
      }
      ASSERT_EQ(space.free_entries(), model.free_entries()) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace limpet::dataplane
