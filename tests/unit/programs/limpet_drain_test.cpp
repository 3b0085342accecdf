// SPDX-License-Identifier: Apache-2.0
// How far a server is drained, in words; and what a drain is asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "programs/limpet_arguments.h"
#include "programs/limpet_drain_progress.h"

namespace limpet {
namespace {

using testing::HasSubstr;

TEST(DrainProgress, tells_what_is_left_and_when_idle_ones_would_have_ended) {
  DrainProgress progress(true);
  progress.add(0, {30, 8, 6});
  progress.add_deadlines(0, {.connections = 38, .clients = 6, .connections_last = 899, .clients_last = 300});
  EXPECT_EQ(progress.line(),
            "00:00  38 connections (30 active), 6 persistent clients left; idle ones end within 14 min 59 s");
  EXPECT_EQ(progress.bar_line(0),
            "[--------------------]   0 %  38 connections (30 active), 6 persistent clients left; idle ones end within "
            "14 min 59 s");
}

TEST(DrainProgress, estimates_from_the_pace_of_the_last_minute) {
  DrainProgress progress(true);
  progress.add(0, {100, 0, 0});
  progress.add(4, {96, 0, 0});
  EXPECT_FALSE(progress.seconds_to_go());  // too early
  progress.add(10, {90, 0, 0});
  EXPECT_EQ(progress.seconds_to_go(), 90U);
  EXPECT_EQ(progress.estimate(), "about 1 min 30 s at this pace");
  for (int second = 11; second <= 100; ++second) progress.add(second, {90, 0, 0});
  EXPECT_FALSE(progress.seconds_to_go());  // nobody has left for a minute
  progress.add(101, {45, 0, 0});
  EXPECT_THAT(progress.bar_line(0), HasSubstr("[###########---------]  55 %  45 connections"));
}

TEST(DrainProgress, clients_that_come_back_begin_the_estimate_anew) {
  DrainProgress progress(true);
  progress.add(0, {100, 0, 1});
  progress.add(10, {50, 0, 1});
  EXPECT_EQ(progress.seconds_to_go(), 11U);
  progress.add(11, {60, 0, 1});
  EXPECT_FALSE(progress.seconds_to_go());
}

TEST(DrainProgress, is_over_when_nothing_is_left_that_is_waited_for) {
  for (const bool clients_too : {true, false}) {
    DrainProgress progress(clients_too);
    progress.add(0, {1, 0, 3});
    EXPECT_FALSE(progress.is_drained());
    progress.add(1, {0, 1, 3});
    EXPECT_FALSE(progress.is_drained());
    progress.add(2, {0, 0, 3});
    EXPECT_EQ(progress.is_drained(), !clients_too);
    progress.add(3, {0, 0, 0});
    EXPECT_TRUE(progress.is_drained());
    EXPECT_EQ(progress.estimate(), "");
  }
}

TEST(DrainProgress, a_bar_fits_its_terminal) {
  DrainProgress progress(true);
  progress.add(0, {30, 8, 6});
  EXPECT_EQ(progress.bar_line(40).size(), 39U);
}

TEST(DrainArguments, name_a_server_services_and_limits) {
  const auto goal = read_drain_arguments(
      {.server = "10.0.0.1", .services = {"192.0.2.1:80", "fwm:10"}, .until = {"connections", "10m"}});
  ASSERT_TRUE(goal) << goal.error().text;
  EXPECT_EQ(goal->server.to_string(), "10.0.0.1");
  EXPECT_EQ(goal->services.size(), 2U);
  EXPECT_FALSE(goal->clients_too);
  EXPECT_EQ(goal->seconds, 600U);
  const auto usual = read_drain_arguments({.server = "10.0.0.1:80", .services = {}, .until = {}});
  EXPECT_TRUE(usual->clients_too);
  EXPECT_FALSE(usual->seconds);
}

TEST(DrainArguments, are_refused_by_name) {
  const auto error_of = [](const DrainArguments& arguments) { return read_drain_arguments(arguments).error().text; };
  EXPECT_THAT(error_of({.server = "web1", .services = {}, .until = {}}), HasSubstr("SERVER: \"web1\""));
  EXPECT_THAT(error_of({.server = "10.0.0.1", .services = {"web"}, .until = {}}), HasSubstr("SERVICE: \"web\""));
  for (const char* time : {"0", "m", "10x", "-1", "1.5h", "5000000000", "4000000000d", "clients", " "}) {
    EXPECT_THAT(error_of({.server = "10.0.0.1", .services = {}, .until = {time}}),
                HasSubstr("--until: \"" + std::string(time) + "\""))
        << time;
  }
  for (const auto& [time, seconds] :
       {std::pair("90", 90U), std::pair("90s", 90U), std::pair("2h", 7200U), std::pair("1d", 86400U)})
    EXPECT_EQ(read_drain_arguments({.server = "10.0.0.1", .services = {}, .until = {time}})->seconds, seconds);
}

}  // namespace
}  // namespace limpet
