// SPDX-License-Identifier: Apache-2.0
// Marks gathered under masks.
#include "network/mark_cover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace limpet::network {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::set<std::uint32_t> run_of(std::uint32_t first, std::uint32_t last, std::uint32_t step = 1) {
  std::set<std::uint32_t> marks;
  for (std::uint32_t mark = first; mark <= last; mark += step) marks.insert(mark);
  return marks;
}

// How many cubes hold the mark.
auto holders(const std::vector<MarkCube>& cubes, std::uint32_t mark) {
  return std::count_if(cubes.begin(), cubes.end(), [&](const MarkCube& c) { return (mark & c.mask) == c.value; });
}

TEST(MarkCover, pairs_become_one) {
  EXPECT_THAT(cover({10, 11}), ElementsAre(MarkCube{10, 0xfffffffe}));
  EXPECT_THAT(cover({10, 12}), ElementsAre(MarkCube{10, 0xffffffff}, MarkCube{12, 0xffffffff}));
  EXPECT_THAT(cover({0x10000, 0x30000}), ElementsAre(MarkCube{0x10000, 0xfffdffff}));
  EXPECT_THAT(cover({0xffffffff}), ElementsAre(MarkCube{0xffffffff, 0xffffffff}));
  EXPECT_THAT(cover({}), IsEmpty());
}

TEST(MarkCover, a_run_needs_a_rule_for_each_of_its_halves_at_most) {
  EXPECT_EQ(cover(run_of(1, 100)).size(), 9U);
  EXPECT_LE(cover(run_of(1, 1000)).size(), 16U);
  EXPECT_LE(cover(run_of(0x100, 0x6400, 0x100)).size(), 9U);
}

TEST(MarkCover, holds_each_mark_once_and_no_other) {
  std::minstd_rand dice(1);
  for (int round = 0; round < 50; ++round) {
    std::set<std::uint32_t> marks;
    for (int i = 0; i < 60; ++i) marks.insert(dice() % 128);
    const auto cubes = cover(marks);
    for (std::uint32_t mark = 0; mark < 256; ++mark) EXPECT_EQ(holders(cubes, mark), marks.contains(mark) ? 1 : 0);
  }
}

}  // namespace
}  // namespace limpet::network
