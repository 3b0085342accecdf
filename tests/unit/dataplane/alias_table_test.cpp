// SPDX-License-Identifier: Apache-2.0
// The alias table of twos: what is drawn is exactly what ip_vs_twos.c would draw.
#include "dataplane/alias_table.h"

#include <random>

#include <gtest/gtest.h>

namespace limpet::dataplane {
namespace {

DestinationList list_of(const std::vector<std::uint32_t>& weights) {
  DestinationList list;
  for (const std::uint32_t weight : weights) list.push_back({static_cast<std::uint32_t>(list.size() + 1), weight});
  return list;
}

// Units of each place over all columns: as many as it has of the sum, times the number of places.
std::vector<std::uint64_t> shares(const AliasTable& table) {
  std::vector<std::uint64_t> sum(table.columns.size());
  for (std::size_t column = 0; column < sum.size(); ++column) {
    EXPECT_LE(table.columns[column].second, table.units);
    sum[column] += table.columns[column].second;
    sum.at(table.columns[column].first) += table.units - table.columns[column].second;
  }
  return sum;
}

TEST(AliasTable, gives_each_server_its_weight_and_the_first_one_a_unit_more) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint32_t> weights(1 + random() % 50);
    for (std::uint32_t& weight : weights) weight = random() % 4 == 0 ? 0 : random() % 1000;
    const AliasTable table = alias_table(list_of(weights));
    std::uint64_t total = 0;
    for (const std::uint32_t weight : weights) total += weight;
    if (total == 0) {
      EXPECT_EQ(table.units, 0U);
      continue;
    }
    ASSERT_EQ(table.units, total + 1);
    ASSERT_NE(weights[table.extra], 0U);
    for (std::size_t place = 0; place < table.extra; ++place) ASSERT_EQ(weights[place], 0U);
    const auto sums = shares(table);
    for (std::size_t place = 0; place < weights.size(); ++place)
      ASSERT_EQ(sums[place], (weights[place] + (place == table.extra ? 1ULL : 0ULL)) * weights.size());
  }
}

TEST(AliasTable, the_largest_weights_are_scaled) {
  const AliasTable table = alias_table(list_of({2147483647, 2147483647, 1, 0}));
  EXPECT_LE(table.units, 1U << 31);
  const auto sums = shares(table);
  EXPECT_GT(sums[2], 0U);
  EXPECT_EQ(sums[3], 0U);
  EXPECT_NEAR(static_cast<double>(sums[0]) / static_cast<double>(sums[1]), 1.0, 1e-6);
}

TEST(AliasTable, of_no_servers_and_of_one) {
  EXPECT_EQ(alias_table({}).units, 0U);
  EXPECT_TRUE(alias_table({}).columns.empty());
  const AliasTable one = alias_table(list_of({7}));
  EXPECT_EQ(one.units, 8U);
  EXPECT_EQ(shares(one), std::vector<std::uint64_t>{8});
}

}  // namespace
}  // namespace limpet::dataplane
