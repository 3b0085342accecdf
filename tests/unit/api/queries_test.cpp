// SPDX-License-Identifier: Apache-2.0
// Queries out of nowhere: read or refused by name, never thrown at.
#include "api/queries.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace limpet::api {
namespace {

TEST(Queries, junk_is_read_or_refused_and_no_exception) {
  const std::vector<std::string> pieces = {
      "client", "service",  "server", "virtual", "protocol",   "mark",     "=",           "&",   "%2F",  "%",
      "%zz",    "10.1.0.1", "/24",    "/99",     ":",          "[",        "2001:db8::1", "]",   "tcp/", "fwm/",
      "udp",    "80",       "?",      "#",       "4294967296", "\xff\xfe", "-1",          "%00", "",     "+"};
  std::mt19937 random(7);
  int understood = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string target = round % 2 == 0 ? "/v1/sessions?" : "/v1/explain?";
    for (auto length = random() % 9; length > 0; --length) target += pieces[random() % pieces.size()];
    const Match match = match_route("GET", target);
    if (match.route == nullptr) {
      EXPECT_EQ(match.refusal_status, 400) << target;
      EXPECT_FALSE(match.refusal_text.empty()) << target;
      continue;
    }
    const auto filter = session_filter_of(match.request);
    const auto question = explain_question_of(match.request);
    EXPECT_TRUE(filter || !filter.error().text.empty()) << target;
    EXPECT_TRUE(question || !question.error().text.empty()) << target;
    understood += filter || question ? 1 : 0;
  }
  EXPECT_GT(understood, 100);
}

TEST(Queries, a_value_that_is_too_long_is_cut_in_the_error) {
  const Match match = match_route("GET", "/v1/sessions?client=" + std::string(10000, 'x'));
  ASSERT_NE(match.route, nullptr);
  EXPECT_LT(session_filter_of(match.request).error().text.size(), 400u);
}

}  // namespace
}  // namespace limpet::api
