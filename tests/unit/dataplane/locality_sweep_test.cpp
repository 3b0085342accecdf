// SPDX-License-Identifier: Apache-2.0
// How long lblc and lblcr remember.
#include "dataplane/locality_sweep.h"

#include <gtest/gtest.h>

namespace limpet::dataplane {
namespace {

constexpr std::uint64_t kSixMinutes = LIMPET_SECONDS_TO_TICKS(360);

TEST(Localities, are_forgotten_by_the_half_hourly_walk_only) {
  for (std::uint64_t walk = 1; walk < 30; ++walk) EXPECT_FALSE(locality_life(walk, 60, 10, 1024)) << walk;
  EXPECT_EQ(locality_life(30, 60, 10, 1024), LIMPET_SECONDS_TO_TICKS(60ULL));
  EXPECT_EQ(locality_life(60, 0, 10, 1024), LIMPET_SECONDS_TO_TICKS(86400ULL)) << "the default";
}

TEST(Localities, that_are_idle_make_room_where_the_table_fills) {
  EXPECT_FALSE(locality_life(1, 0, 768, 1024));
  EXPECT_EQ(locality_life(1, 0, 769, 1024), kSixMinutes);
  EXPECT_EQ(locality_life(30, 0, 769, 1024), kSixMinutes);
  EXPECT_EQ(locality_life(1, 60, 769, 1024), LIMPET_SECONDS_TO_TICKS(60ULL)) << "shorter than that";
}

}  // namespace
}  // namespace limpet::dataplane
