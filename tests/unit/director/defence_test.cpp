// SPDX-License-Identifier: Apache-2.0
// When which defence is in force, and how it is shown (update_defense_level()).
#include "director/defence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace limpet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DefenceTest : public testing::Test {
 protected:
  void set(std::size_t index, std::int32_t value) { wanted[index] = value; }
  void update() { defence.update(wanted, left); }
  std::int32_t shown(std::size_t index) { return defence.shown(wanted)[index]; }

  static constexpr std::size_t kDropEntry = tunable("drop_entry");
  static constexpr std::size_t kDropPacket = tunable("drop_packet");
  static constexpr std::size_t kSecureTcp = tunable("secure_tcp");
  Tunables wanted;
  Defence::Left left{100000, 0, 1600};
  Defence defence;
};

TEST_F(DefenceTest, rests_by_default_however_short_memory_is) {
  left.pages = 0;
  update();
  EXPECT_FALSE(defence.drops_entries());
  EXPECT_FALSE(defence.secures_tcp());
  EXPECT_EQ(defence.drop_rate(), 0);
  EXPECT_THAT(defence.sentences(), IsEmpty());
}

TEST_F(DefenceTest, that_is_automatic_is_1_at_rest_and_2_in_force_whichever_was_set) {
  for (const std::int32_t value : {1, 2}) {
    for (const auto index : {kDropEntry, kDropPacket, kSecureTcp}) set(index, value);
    left.pages = 1024;
    update();
    for (const auto index : {kDropEntry, kDropPacket, kSecureTcp}) EXPECT_EQ(shown(index), 1);
    EXPECT_FALSE(defence.drops_entries() || defence.secures_tcp() || defence.drop_rate() != 0);
    left.pages = 1023;
    update();
    for (const auto index : {kDropEntry, kDropPacket, kSecureTcp}) EXPECT_EQ(shown(index), 2);
    EXPECT_TRUE(defence.drops_entries() && defence.secures_tcp() && defence.drops_by_itself());
    EXPECT_EQ(defence.sentences().size(), 3u);
  }
}

TEST_F(DefenceTest, of_3_is_always_in_force) {
  for (const auto index : {kDropEntry, kDropPacket, kSecureTcp}) set(index, 3);
  set(tunable("am_droprate"), 7);
  update();
  EXPECT_TRUE(defence.drops_entries() && defence.secures_tcp());
  EXPECT_EQ(defence.drop_rate(), 7);
  EXPECT_FALSE(defence.drops_by_itself());
  for (const auto index : {kDropEntry, kDropPacket, kSecureTcp}) EXPECT_EQ(shown(index), 3);
  EXPECT_THAT(defence.sentences(), testing::Contains(HasSubstr("one of 7 is dropped")));
}

TEST_F(DefenceTest, drops_the_more_packets_the_less_memory_is_left) {
  set(kDropPacket, 1);
  for (const auto& [pages, rate] : {std::pair{1023, 1024}, {512, 2}, {511, 1}, {0, 1}, {1024, 0}}) {
    left.pages = pages;
    update();
    EXPECT_EQ(defence.drop_rate(), rate) << pages;
  }
}

TEST_F(DefenceTest, begins_as_well_when_a_sixteenth_of_the_table_is_left) {
  set(kDropPacket, 1);
  for (const auto& [flows, rate] : {std::pair{1500, 0}, {1501, 100}, {1550, 2}, {1600, 1}, {1700, 1}}) {
    left.flows = static_cast<std::uint64_t>(flows);
    update();
    EXPECT_EQ(defence.drop_rate(), rate) << flows;
  }
  left = {0, 1501, 1600};
  update();
  EXPECT_EQ(defence.drop_rate(), 1) << "the harsher one counts";
}

TEST_F(DefenceTest, without_a_threshold_of_memory_does_not_begin_for_memory) {
  for (const auto threshold : {0, -5}) {
    set(tunable("amemthresh"), threshold);
    set(kDropPacket, 1);
    left.pages = 0;
    update();
    EXPECT_EQ(shown(kDropPacket), 1);
  }
}

TEST_F(DefenceTest, takes_a_rate_as_it_is) {
  set(kDropPacket, 3);
  for (const std::int32_t rate : {0, 1, -1}) {
    set(tunable("am_droprate"), rate);
    update();
    EXPECT_EQ(defence.drop_rate(), rate);
  }
  EXPECT_THAT(defence.sentences(), ElementsAre(HasSubstr("all are dropped")));
}

}  // namespace
}  // namespace limpet
