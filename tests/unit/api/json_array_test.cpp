// SPDX-License-Identifier: Apache-2.0
// Cutting a JSON array into its elements.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json_array.h"

namespace limpet::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SplitArray, elements_come_out_as_they_stand) {
  EXPECT_THAT(*split_array(" [ ] \n", 9), IsEmpty());
  EXPECT_THAT(*split_array("[1]", 9), ElementsAre("1"));
  EXPECT_THAT(*split_array(R"([{"a":[1,2]},"x,]\",","\\",{}])", 9),
              ElementsAre(R"({"a":[1,2]})", R"("x,]\",")", R"("\\")", "{}"));
}

TEST(SplitArray, what_is_missing_between_commas_comes_out_empty_for_the_parser_to_refuse) {
  EXPECT_THAT(*split_array("[1,,2,]", 9), ElementsAre("1", "", "2", ""));
}

TEST(SplitArray, what_is_no_array_is_refused) {
  for (const char* text : {"", "{}", "[", "]", "[1", "[[]", "[]]", "[\"]", "[1],[2]", "[{]", "[}]", "null"}) {
    EXPECT_FALSE(split_array(text, 9)) << text;
  }
}

TEST(SplitArray, too_many_elements_are_refused) {
  EXPECT_TRUE(split_array("[1,2,3]", 3));
  EXPECT_FALSE(split_array("[1,2,3,4]", 3));
}

}  // namespace
}  // namespace limpet::api
