// SPDX-License-Identifier: Apache-2.0
// Our own Maglev table over random sets of servers: shares, who is disturbed, and that it depends on nothing else.
#include "dataplane/maglev_table.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "dataplane/list_range.h"

namespace limpet::dataplane {
namespace {

constexpr HashKey kMaglevKey{1, 2};

class MaglevTable : public testing::Test {
 protected:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  ListedDestination server(std::uint32_t weight) {
    const auto address = static_cast<std::uint32_t>(random_());
    return {++last_id_, weight, weight, Address::ipv4(address), Port{static_cast<std::uint16_t>(random_())}};
  }
  DestinationList servers(std::size_t count, std::uint32_t most_weight) {
    DestinationList list;
    for (std::size_t i = 0; i < count; ++i) list.push_back(server(1 + below(most_weight)));
    return list;
  }

  static std::vector<std::uint32_t> owners(const DestinationList& list, const HashKey& key = kMaglevKey) {
    std::vector<std::uint32_t> owners;
    for (const limpet_bucket place : maglev_table(list, key)) owners.push_back(list.at(place).id);
    return owners;
  }

  // The part of the buckets that have changed hands among servers other than `id`.
  static double disturbed(const std::vector<std::uint32_t>& before, const std::vector<std::uint32_t>& after,
                          std::uint32_t id) {
    EXPECT_EQ(before.size(), after.size());
    double count = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      if (before[i] != id && after[i] != id && before[i] != after[i]) ++count;
    return count / static_cast<double>(before.size());
  }

  // Each server's share of the buckets, to `slack` buckets.
  static void expect_shares_by_weight(const DestinationList& list, double slack) {
    const auto table = owners(list);
    std::map<std::uint32_t, double> has;
    for (const std::uint32_t id : table) ++has[id];
    double sum = 0;
    for (const ListedDestination& d : list) sum += d.weight;
    for (const ListedDestination& d : list)
      ASSERT_NEAR(has[d.id], d.weight / sum * static_cast<double>(table.size()), slack) << "of " << list.size();
  }

  std::mt19937 random_{5};
  std::uint32_t last_id_ = 0;
};

TEST_F(MaglevTable, has_a_hundred_buckets_a_server_and_few_sizes) {
  std::set<std::uint32_t> sizes;
  for (std::size_t count = 1; count <= 1310; ++count) {
    ASSERT_GE(maglev_bucket_count(count), 100 * count);
    sizes.insert(maglev_bucket_count(count));
  }
  EXPECT_EQ(sizes.size(), 4u);
  EXPECT_EQ(maglev_bucket_count(65536), 131071u);
}

TEST_F(MaglevTable, gives_each_server_buckets_in_proportion_to_its_weight) {
  for (const std::uint32_t most_weight : {1U, 5U, 1000U, 2147483647U})
    for (const std::size_t count : {1U, 2U, 3U, 7U, 40U, 41U, 100U, 300U})
      for (int set = 0; set < 5; ++set)
        ASSERT_NO_FATAL_FAILURE(expect_shares_by_weight(servers(count, most_weight), 2));
  expect_shares_by_weight(servers(1000, 100), 2);
}

TEST_F(MaglevTable, leaves_everybody_with_a_weight_a_bucket_and_nobody_else) {
  DestinationList list = {server(2147483647), server(1), server(0)};
  const auto table = owners(list);
  EXPECT_EQ(std::count(table.begin(), table.end(), list[1].id), 1);
  EXPECT_EQ(std::count(table.begin(), table.end(), list[2].id), 0);
  EXPECT_TRUE(maglev_table({server(0), server(0)}, kMaglevKey).empty());
  EXPECT_TRUE(maglev_table({}, kMaglevKey).empty());
}

TEST_F(MaglevTable, is_the_same_in_whatever_order_the_servers_were_added) {
  for (const std::size_t count : {2U, 10U, 100U, 1000U}) {
    DestinationList list = servers(count, 5);
    const auto before = owners(list);
    std::shuffle(list.begin(), list.end(), random_);
    ASSERT_EQ(owners(list), before);
  }
}

TEST_F(MaglevTable, knows_nothing_of_former_weights) {
  DestinationList list = servers(10, 5);
  const auto before = owners(list);
  for (ListedDestination& d : list) d.last_weight = 7;
  EXPECT_EQ(owners(list), before);
}

TEST_F(MaglevTable, of_another_key_deals_everybody_anew) {
  const DestinationList list = servers(100, 1);
  EXPECT_GT(disturbed(owners(list), owners(list, {1, 3}), 0), 0.9);
}

TEST_F(MaglevTable, moves_few_buckets_of_others_when_a_server_goes_or_has_no_weight_any_more) {
  for (const std::size_t count : {3U, 10U, 40U, 100U, 163U, 1000U}) {
    for (const std::uint32_t most_weight : {1U, 10U}) {
      DestinationList list = servers(count, most_weight);
      const auto before = owners(list);
      const std::size_t which = below(static_cast<std::uint32_t>(count));
      const std::uint32_t id = list[which].id;
      list[which].weight = 0;
      const auto quiesced = owners(list);
      ASSERT_LT(disturbed(before, quiesced, id), 0.03) << count << " servers";
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(which));
      ASSERT_EQ(owners(list), quiesced);
    }
  }
}

TEST_F(MaglevTable, moves_few_buckets_of_others_when_a_server_is_weighed_anew) {
  for (const std::size_t count : {3U, 10U, 100U, 1000U}) {
    DestinationList list = servers(count, 10);
    const auto before = owners(list);
    list[0].weight = list[0].weight > 5 ? list[0].weight - 1 : list[0].weight + 1;
    ASSERT_LT(disturbed(before, owners(list), list[0].id), 0.03) << count << " servers";
  }
}

TEST_F(MaglevTable, tells_ports_and_families_apart) {
  const Address four = *Address::parse("10.0.0.1");
  const Address six = *Address::parse("a00:1::");
  const DestinationList list = {{1, 1, 1, four, Port{80}}, {2, 1, 1, four, Port{81}}, {3, 1, 1, six, Port{80}}};
  expect_shares_by_weight(list, 2);
}

TEST_F(MaglevTable, stands_in_a_range_with_its_key_at_the_end) {
  const DestinationList list = {server(2), server(1)};
  const auto range = list_range({LIMPET_MAGLEV, 0, kMaglevKey}, {}, list);
  EXPECT_EQ(range.size(), range_length(LIMPET_MAGLEV, 2));
  EXPECT_EQ(range.size(), LIMPET_LIST_HEADER + 2u + 1024u + 2u);
  EXPECT_EQ(range[0].second, 4093u);
  EXPECT_EQ(key_of_range(range), kMaglevKey);
}

}  // namespace
}  // namespace limpet::dataplane
