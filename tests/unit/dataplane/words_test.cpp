// SPDX-License-Identifier: Apache-2.0
// Reading claim words and ticks.
#include "dataplane/words.h"

#include <gtest/gtest.h>

#include "dataplane/clock.h"
#include "model/service.h"

namespace limpet::dataplane {
namespace {

constexpr std::uint64_t kMinute = LIMPET_SECONDS_TO_TICKS(60);

std::uint64_t flow(std::uint64_t expiry, unsigned state, std::uint64_t flags, std::uint64_t life) {
  return expiry << LIMPET_FLOW_EXPIRY_SHIFT | flags | std::uint64_t{state} << LIMPET_FLOW_STATE_SHIFT | life;
}

std::uint64_t template_word(std::uint64_t expiry, std::uint64_t controlled, std::uint64_t flags, std::uint64_t life) {
  return expiry << LIMPET_TEMPLATE_EXPIRY_SHIFT | controlled << LIMPET_TEMPLATE_COUNT_SHIFT | flags | life;
}

TEST(FlowWord, its_parts_do_not_run_into_each_other) {
  constexpr std::uint64_t kLast = (std::uint64_t{1} << 48) - 1;
  const FlowWord full(flow(kLast, 15, 0, LIMPET_LIFE_ALIVE));
  EXPECT_EQ(full.expiry, kLast);
  EXPECT_EQ(full.state, 15u);
  EXPECT_EQ(full.life, LIMPET_LIFE_ALIVE);
  const FlowWord flags(flow(0, 0, LIMPET_FLOW_NOOUTPUT | LIMPET_FLOW_ASSURED, LIMPET_LIFE_DELETING));
  EXPECT_EQ(flags.expiry, 0u);
  EXPECT_EQ(flags.state, 0u);
  EXPECT_EQ(flags.life, LIMPET_LIFE_DELETING);
  EXPECT_EQ(FlowWord(flow(7, LIMPET_TCP_SYNACK, LIMPET_FLOW_NOOUTPUT, LIMPET_LIFE_BUSY)).state, LIMPET_TCP_SYNACK);
}

TEST(FlowWord, is_alive_up_to_its_expiry_and_only_in_life_alive) {
  EXPECT_TRUE(FlowWord(flow(101, LIMPET_TCP_ESTABLISHED, 0, LIMPET_LIFE_ALIVE)).is_alive(100));
  EXPECT_FALSE(FlowWord(flow(100, LIMPET_TCP_ESTABLISHED, 0, LIMPET_LIFE_ALIVE)).is_alive(100));
  for (const auto life : {LIMPET_LIFE_BUSY, LIMPET_LIFE_DEAD, LIMPET_LIFE_DELETING})
    EXPECT_FALSE(FlowWord(flow(101, LIMPET_TCP_ESTABLISHED, 0, life)).is_alive(100)) << life;
}

TEST(TemplateWord, its_parts_do_not_run_into_each_other) {
  constexpr std::uint64_t kLast = (std::uint64_t{1} << 35) - 1;
  const TemplateWord expiry(template_word(kLast, 0, 0, LIMPET_LIFE_ALIVE));
  EXPECT_EQ(expiry.expiry, kLast);
  EXPECT_EQ(expiry.controlled, 0u);
  EXPECT_FALSE(expiry.assured);
  const TemplateWord count(template_word(0, LIMPET_TEMPLATE_COUNT_MASK, 0, LIMPET_LIFE_DEAD));
  EXPECT_EQ(count.expiry, 0u);
  EXPECT_EQ(count.controlled, 0xffffffu);
  EXPECT_EQ(count.life, LIMPET_LIFE_DEAD);
  const TemplateWord flags(template_word(0, 0, LIMPET_TEMPLATE_ASSURED | LIMPET_TEMPLATE_EXTENDED, LIMPET_LIFE_ALIVE));
  EXPECT_TRUE(flags.assured);
  EXPECT_EQ(flags.controlled, 0u);
  EXPECT_FALSE(TemplateWord(template_word(0, 0, LIMPET_TEMPLATE_EXTENDED, LIMPET_LIFE_ALIVE)).assured);
}

TEST(TemplateWord, lives_past_its_expiry_while_it_controls_flows) {
  EXPECT_TRUE(TemplateWord(template_word(101, 0, 0, LIMPET_LIFE_ALIVE)).is_alive(100));
  EXPECT_FALSE(TemplateWord(template_word(100, 0, 0, LIMPET_LIFE_ALIVE)).is_alive(100));
  EXPECT_TRUE(TemplateWord(template_word(100, 1, 0, LIMPET_LIFE_ALIVE)).is_alive(100));
  EXPECT_FALSE(TemplateWord(template_word(100, 1, 0, LIMPET_LIFE_DEAD)).is_alive(100));
}

TEST(TemplateWord, that_controls_flows_is_prolonged_by_a_minute_as_often_as_needed) {
  const TemplateWord word(template_word(1000, 2, 0, LIMPET_LIFE_ALIVE));
  EXPECT_EQ(word.effective_expiry(999), 1000u) << "not yet";
  EXPECT_EQ(word.effective_expiry(1000), 1000 + kMinute);
  EXPECT_EQ(word.effective_expiry(1000 + kMinute - 1), 1000 + kMinute);
  EXPECT_EQ(word.effective_expiry(1000 + kMinute), 1000 + 2 * kMinute);
  EXPECT_EQ(word.effective_expiry(1000 + 10 * kMinute + 5), 1000 + 11 * kMinute);
}

TEST(TemplateWord, that_controls_nothing_is_never_prolonged) {
  const TemplateWord word(template_word(1000, 0, 0, LIMPET_LIFE_ALIVE));
  EXPECT_EQ(word.effective_expiry(5000), 1000u);
}

TEST(Clock, a_fresh_timeout_shows_all_its_seconds_or_one_less) {
  for (std::uint64_t seconds = 1; seconds <= kMaxTimeoutSeconds; seconds += 1 + seconds / 3) {
    const std::uint64_t now = 123456789;
    const std::uint32_t left = seconds_left(now + LIMPET_SECONDS_TO_TICKS(seconds), now);
    EXPECT_LE(left, seconds);
    EXPECT_GE(left + 1, seconds);
  }
}

TEST(Clock, nothing_is_left_of_what_has_passed) {
  EXPECT_EQ(seconds_left(100, 100), 0u);
  EXPECT_EQ(seconds_left(0, 100), 0u) << "no wrap-around to centuries";
}

TEST(Clock, ticks_are_those_of_the_kernels_monotonic_clock) {
  timespec before{}, after{};
  ::clock_gettime(CLOCK_MONOTONIC, &before);
  const std::uint64_t ticks = ticks_now();
  ::clock_gettime(CLOCK_MONOTONIC, &after);
  const auto nanoseconds = [](const timespec& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * LIMPET_SECOND_NS + static_cast<std::uint64_t>(t.tv_nsec);
  };
  EXPECT_GE(ticks, nanoseconds(before) >> LIMPET_TICK_SHIFT);
  EXPECT_LE(ticks, nanoseconds(after) >> LIMPET_TICK_SHIFT);
}

TEST(TemplateWord, one_that_is_made_reads_as_it_was_made) {
  for (const bool assured : {false, true}) {
    for (const bool extended : {false, true}) {
      const TemplateWord word(limpet::dataplane::template_word(123456789, assured, extended));
      EXPECT_EQ(word.life, LIMPET_LIFE_ALIVE);
      EXPECT_EQ(word.assured, assured);
      EXPECT_EQ(word.extended, extended);
      EXPECT_EQ(word.controlled, 0U);
      EXPECT_EQ(word.expiry, 123456789U);
    }
  }
}

TEST(Clock, what_is_left_is_never_more_than_it_was) {
  using namespace std::chrono_literals;
  EXPECT_EQ(time_left(1000, 1000), 0ms);
  EXPECT_EQ(time_left(1000, 2000), 0ms);
  for (const std::chrono::milliseconds time : {1ms, 17ms, 999ms, 60000ms, 2678400000ms}) {
    const auto again = time_left(1000 + ticks_of(time), 1000);
    EXPECT_LE(again, time);
    EXPECT_GT(again, time - 18ms) << "a tick";
  }
}

}  // namespace
}  // namespace limpet::dataplane
