// SPDX-License-Identifier: Apache-2.0
// Connection thresholds, as ip_vs_dest_update_overload() has them.
#include "dataplane/overload.h"

#include <gtest/gtest.h>

namespace limpet::dataplane {
namespace {

TEST(Overload, begins_at_the_upper_threshold_and_ends_below_the_lower_one) {
  EXPECT_FALSE(is_overloaded(5, 2, 4, false));
  EXPECT_TRUE(is_overloaded(5, 2, 5, false));
  EXPECT_TRUE(is_overloaded(5, 2, 2, true));
  EXPECT_FALSE(is_overloaded(5, 2, 1, true));
}

TEST(Overload, ends_below_three_quarters_where_there_is_no_lower_threshold) {
  const std::pair<std::uint32_t, std::int64_t> least_still_overloaded[] = {{1, 1}, {2, 2}, {3, 3},   {4, 3},
                                                                           {5, 4}, {8, 6}, {100, 75}};
  for (const auto& [upper, connections] : least_still_overloaded) {
    EXPECT_TRUE(is_overloaded(upper, 0, connections, true)) << upper;
    EXPECT_FALSE(is_overloaded(upper, 0, connections - 1, true)) << upper;
  }
}

TEST(Overload, is_judged_anew_when_a_threshold_changes) {
  limpet_destination destination{};
  limpet_counts counts{};
  counts.total = 3;
  const auto judged = [&](std::uint32_t upper, std::uint32_t lower) {
    destination.upper_threshold = upper;
    destination.lower_threshold = lower;
    judge_overload(destination, counts);
    return counts.overloaded != 0;
  };
  EXPECT_FALSE(judged(0, 0));
  EXPECT_TRUE(judged(2, 0)) << "lowered";
  EXPECT_TRUE(judged(4, 1)) << "raised, but not below the lower one";
  EXPECT_FALSE(judged(4, 4));
  EXPECT_TRUE(judged(3, 0));
  EXPECT_FALSE(judged(0, 0)) << "taken away";
}

TEST(Overload, never_follows_from_counts_that_are_below_0_for_a_moment) {
  EXPECT_FALSE(is_overloaded(1, 0, -1, false));
  EXPECT_FALSE(is_overloaded(4294967295U, 0, 2147483647, false));
}

}  // namespace
}  // namespace limpet::dataplane
