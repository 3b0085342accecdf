// SPDX-License-Identifier: Apache-2.0
// Full tables are told when it begins and when it is over, not for every packet.
#include "director/full_tables.h"

#include <gmock/gmock.h>

namespace limpet {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FullTablesTest : public testing::Test {
 protected:
  // A second later.
  std::vector<std::string> update() {
    now_ += 1s;
    return tables.update(seen, now_, FullTables::WallClock::time_point(1800000000s) + now_.time_since_epoch());
  }
  void wait(std::chrono::seconds time) {
    for (auto passed = 0s; passed < time; passed += 1s) EXPECT_THAT(update(), IsEmpty());
  }
  std::vector<std::string> sentences() const { return tables.sentences(now_); }

  FullTables tables;
  FullTables::Seen seen;
  FullTables::Clock::time_point now_{};
};

TEST_F(FullTablesTest, nothing_is_told_while_there_is_room) {
  wait(100s);
  EXPECT_THAT(sentences(), IsEmpty());
}

TEST_F(FullTablesTest, a_flood_is_told_once_and_its_end_once) {
  wait(3s);
  seen.events[LIMPET_EVENT_FLOWS_FULL] = 5;
  seen.flows_have_room = false;
  EXPECT_THAT(update(), ElementsAre(AllOf(HasSubstr("the table of connections is full"), HasSubstr("tables.flows"))));
  for (int second = 0; second < 60; ++second) {
    seen.events[LIMPET_EVENT_FLOWS_FULL] += 100000;
    EXPECT_THAT(update(), IsEmpty());
  }
  EXPECT_THAT(sentences(), ElementsAre(AllOf(HasSubstr("is full since 20"), HasSubstr("6000005 packets so far"))));
  wait(20s);
  EXPECT_THAT(sentences(), ElementsAre(HasSubstr("is full since"))) << "as long as there is no room";
  seen.flows_have_room = true;
  EXPECT_THAT(update(), ElementsAre(AllOf(HasSubstr("has room again"), HasSubstr("6000005 packets"))));
  EXPECT_THAT(sentences(), ElementsAre(HasSubstr("which is over")));
  wait(100s);
}

TEST_F(FullTablesTest, a_pause_of_seconds_is_not_the_end) {
  wait(1s);
  for (int i = 0; i < 10; ++i) {
    ++seen.events[LIMPET_EVENT_TEMPLATES_FULL];
    EXPECT_EQ(update().size(), i == 0 ? 1U : 0U);
    wait(FullTables::kQuiet - 1s);
  }
  EXPECT_THAT(sentences(), ElementsAre(HasSubstr("the table of persistence templates is full")));
}

TEST_F(FullTablesTest, the_next_flood_is_told_anew) {
  wait(1s);
  ++seen.events[LIMPET_EVENT_REVERSE_FULL];
  EXPECT_THAT(update(), ElementsAre(HasSubstr("masqueraded")));
  wait(FullTables::kQuiet - 1s);
  EXPECT_THAT(update(), ElementsAre(HasSubstr("1 packets")));
  seen.events[LIMPET_EVENT_REVERSE_FULL] += 7;
  EXPECT_THAT(update(), ElementsAre(HasSubstr("masqueraded")));
  EXPECT_THAT(sentences(), ElementsAre(HasSubstr("7 packets so far"))) << "counted from its own beginning";
}

TEST_F(FullTablesTest, what_is_over_for_an_hour_is_forgotten) {
  wait(1s);
  ++seen.events[LIMPET_EVENT_FLOWS_FULL];
  EXPECT_EQ(update().size(), 1U);
  wait(FullTables::kQuiet - 1s);
  EXPECT_EQ(update().size(), 1U);
  wait(59min);
  EXPECT_EQ(sentences().size(), 1U);
  wait(2min);
  EXPECT_THAT(sentences(), IsEmpty());
}

TEST_F(FullTablesTest, what_a_former_limpetd_has_told_is_not_told_again) {
  seen.events[LIMPET_EVENT_FLOWS_FULL] = 1000;
  wait(10s);
  EXPECT_THAT(sentences(), IsEmpty());
  ++seen.events[LIMPET_EVENT_FLOWS_FULL];
  EXPECT_EQ(update().size(), 1U) << "it goes on";
}

}  // namespace
}  // namespace limpet
