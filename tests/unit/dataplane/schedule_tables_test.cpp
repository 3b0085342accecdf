// SPDX-License-Identifier: Apache-2.0
// The tables of the schedulers that hash, over thousands of random sets of servers, against what the kernel's rules
// say; bucket by bucket they are held against recorded connections in tests/packet/schedule_hash_recorded_test.cpp.
#include "dataplane/schedule_tables.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "dataplane/list_range.h"

namespace limpet::dataplane {
namespace {

constexpr int kSets = 300;
constexpr HashKey kTableKey{1, 2};

class ScheduleTables : public testing::Test {
 protected:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  ListedDestination server(std::uint32_t weight) {
    const auto address = static_cast<std::uint32_t>(random_());
    return {++last_id_, weight, weight, Address::ipv4(address), Port{static_cast<std::uint16_t>(random_())}};
  }

  DestinationList servers(std::size_t count, std::uint32_t most_weight, std::uint32_t least_weight = 0) {
    DestinationList list;
    for (std::size_t i = 0; i < count; ++i)
      list.push_back(server(least_weight + below(most_weight - least_weight + 1)));
    return list;
  }

  // How many buckets each place has.
  static std::map<std::size_t, std::uint32_t> shares(const std::vector<limpet_bucket>& table) {
    std::map<std::size_t, std::uint32_t> shares;
    for (const limpet_bucket place : table) ++shares[place];
    return shares;
  }

  static std::vector<limpet_bucket> table_of(limpet_scheduler scheduler, const DestinationList& list) {
    return schedule_table(scheduler, list, kTableKey);
  }

  // The id of each bucket's server.
  static std::vector<std::uint32_t> owners(limpet_scheduler scheduler, const DestinationList& list) {
    std::vector<std::uint32_t> owners;
    for (const limpet_bucket place : table_of(scheduler, list)) owners.push_back(list.at(place).id);
    return owners;
  }

  // Buckets that have changed hands though `gone` had nothing to do with it.
  static std::size_t disturbed(const std::vector<std::uint32_t>& before, const std::vector<std::uint32_t>& after,
                               std::uint32_t gone) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      if (before[i] != gone && after[i] != gone && before[i] != after[i]) ++count;
    return count;
  }

  std::mt19937 random_{5};
  std::uint32_t last_id_ = 0;
};

TEST_F(ScheduleTables, dh_gives_each_server_every_nth_bucket_whatever_its_weight) {
  for (int set = 0; set < kSets; ++set) {
    const DestinationList list = servers(1 + below(400), 5);
    const auto table = table_of(LIMPET_DH, list);
    ASSERT_EQ(table.size(), LIMPET_SH_BUCKETS);
    for (std::size_t i = 0; i < table.size(); ++i) ASSERT_EQ(table[i], i % list.size());
  }
}

TEST_F(ScheduleTables, sh_gives_each_server_its_weight_in_a_row_and_one_of_weight_0_a_single_bucket) {
  for (int set = 0; set < kSets; ++set) {
    const DestinationList list = servers(1 + below(100), 1U << below(10));
    const auto table = table_of(LIMPET_SH, list);
    ASSERT_EQ(table.size(), LIMPET_SH_BUCKETS);
    std::size_t bucket = 0;
    for (std::size_t place = 0; bucket < table.size(); place = (place + 1) % list.size())
      for (std::uint32_t i = 0; i < std::max(1U, list[place].weight) && bucket < table.size(); ++i)
        ASSERT_EQ(table[bucket++], place);
  }
}

TEST_F(ScheduleTables, sh_takes_the_largest_weights) {
  EXPECT_EQ(shares(table_of(LIMPET_SH, {server(2147483647), server(1)})).at(0), LIMPET_SH_BUCKETS);
}

// Full rounds of turns, and a last one that is cut short.
TEST_F(ScheduleTables, mh_gives_each_server_buckets_in_proportion_to_its_weight) {
  for (int set = 0; set < kSets; ++set) {
    DestinationList list = servers(1 + below(100), 60);
    list.push_back(server(60));
    list.push_back(server(1));  // no common divisor, and no weight so large that it would be cut
    const auto turns = std::accumulate(list.begin(), list.end(), 0U,
                                       [](std::uint32_t sum, const ListedDestination& d) { return sum + d.weight; });
    const auto table = table_of(LIMPET_MH, list);
    ASSERT_EQ(table.size(), LIMPET_MH_BUCKETS);
    auto has = shares(table);
    for (std::size_t place = 0; place < list.size(); ++place) {
      ASSERT_GE(has[place], LIMPET_MH_BUCKETS / turns * list[place].weight);
      ASSERT_LE(has[place], (LIMPET_MH_BUCKETS / turns + 1) * list[place].weight);
    }
  }
}

TEST_F(ScheduleTables, mh_cuts_large_weights_to_six_bits_but_leaves_everyone_a_bucket) {
  const auto has = shares(table_of(LIMPET_MH, {server(2147483647), server(1073741823), server(1)}));
  EXPECT_NEAR(has.at(0), 2 * has.at(1), has.at(1) / 10);
  EXPECT_GT(has.at(2), 0U);
}

TEST_F(ScheduleTables, mh_leaves_a_quiesced_servers_buckets_with_it) {
  for (int set = 0; set < kSets; ++set) {
    DestinationList list = servers(2 + below(50), 9, 1);
    const auto before = table_of(LIMPET_MH, list);
    list[below(static_cast<std::uint32_t>(list.size()))].weight = 0;
    ASSERT_EQ(table_of(LIMPET_MH, list), before);
  }
}

TEST_F(ScheduleTables, mh_has_no_bucket_for_servers_that_were_added_with_weight_0) {
  DestinationList list = servers(4, 0);
  EXPECT_TRUE(table_of(LIMPET_MH, list).empty());
  list.push_back(server(3));
  EXPECT_EQ(shares(table_of(LIMPET_MH, list)), (std::map<std::size_t, std::uint32_t>{{4, LIMPET_MH_BUCKETS}}));
}

TEST_F(ScheduleTables, mh_moves_few_buckets_of_others_when_a_server_comes_or_goes) {
  for (int set = 0; set < 50; ++set) {
    DestinationList list = servers(5 + below(20), 1, 1);
    const auto before = owners(LIMPET_MH, list);
    const auto gone = list.begin() + below(static_cast<std::uint32_t>(list.size()));
    const std::uint32_t id = gone->id;
    list.erase(gone);
    ASSERT_LT(disturbed(before, owners(LIMPET_MH, list), id), LIMPET_MH_BUCKETS / 10);
  }
}

TEST_F(ScheduleTables, servers_whose_addresses_fold_to_the_same_word_share_their_way_through_mh) {
  const std::array<std::uint8_t, 16> six = {0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4, 10, 0, 0, 0};
  const auto four = Address::parse("10.0.0.7");
  const DestinationList other = servers(3, 1, 1);
  DestinationList with_six = other, with_four = other;
  with_six.push_back({100, 1, 1, Address::ipv6(six), Port{80}});
  with_four.push_back({100, 1, 1, *four, Port{80}});
  EXPECT_EQ(table_of(LIMPET_MH, with_six), table_of(LIMPET_MH, with_four));
}

TEST_F(ScheduleTables, a_range_holds_header_servers_and_table) {
  const DestinationList list = {{7, 2, 2, {}, {}}, {9, 0, 0, {}, {}}};
  const auto range = list_range({LIMPET_SH, LIMPET_SERVICE_HASH_PORT}, {}, list);
  ASSERT_EQ(range.size(), LIMPET_LIST_HEADER + 2 + LIMPET_SH_BUCKETS / LIMPET_ENTRY_BUCKETS);
  EXPECT_EQ(range.size(), range_length(LIMPET_SH, 2));
  EXPECT_EQ(range[0].first, static_cast<std::uint32_t>(LIMPET_SERVICE_HASH_PORT));
  EXPECT_EQ(range[0].second, LIMPET_SH_BUCKETS);
  EXPECT_EQ(range[1].first, 2U);
  EXPECT_EQ(range[2].first, 7U);
  EXPECT_EQ(range[3].second, 0U);
  EXPECT_EQ(range_length(LIMPET_MH, 3), LIMPET_LIST_HEADER + 3 + 1024U);
  EXPECT_EQ(range_length(LIMPET_MH, 0), static_cast<std::uint32_t>(LIMPET_LIST_HEADER));
  EXPECT_EQ(range_length(LIMPET_RR, 3), LIMPET_LIST_HEADER + 3U);
}

}  // namespace
}  // namespace limpet::dataplane
