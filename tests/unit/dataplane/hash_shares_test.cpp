// SPDX-License-Identifier: Apache-2.0
// How much of the hash space a change of the servers moves.
#include "dataplane/hash_shares.h"

#include <gtest/gtest.h>

namespace limpet::dataplane {
namespace {

constexpr HashKey kKey{1, 2};

Service scheduled(const char* scheduler, std::uint32_t flags = 0) {
  Service service;
  service.scheduler = scheduler;
  service.scheduler_flags = flags;
  return service;
}

ListedDestination server(int number, std::uint32_t weight = 1) {
  return {0, weight, weight == 0 ? 1 : weight, *Address::parse("10.0.0." + std::to_string(number)), Port{80}};
}

TEST(HashShares, the_same_servers_move_nothing) {
  for (const char* scheduler : {"dh", "sh", "mh", "maglev"}) {
    const DestinationList list = {server(1), server(2)};
    const auto shares = hash_shares(scheduled(scheduler), list, scheduled(scheduler), list, kKey);
    EXPECT_EQ(shares->moved, 0U) << scheduler;
    EXPECT_EQ(shares->refused, 0U) << scheduler;
  }
}

TEST(HashShares, maglev_moves_little_and_sh_much_when_a_server_goes) {
  const DestinationList four = {server(1), server(2), server(3), server(4)};
  const DestinationList three = {server(1), server(2), server(3)};
  const auto share = [&](const char* scheduler) {
    const auto shares = hash_shares(scheduled(scheduler), four, scheduled(scheduler), three, kKey);
    return 100 * shares->moved / shares->buckets;
  };
  EXPECT_GE(share("mh"), 25U);
  EXPECT_LT(share("mh"), 45U);
  EXPECT_NEAR(share("maglev"), 26, 1);
  EXPECT_GT(share("sh"), 50U);
}

TEST(HashShares, a_quiesced_servers_share_is_refused_unless_there_is_a_fallback) {
  const DestinationList before = {server(1), server(2)};
  const DestinationList after = {server(1), server(2, 0)};
  for (const char* scheduler : {"dh", "sh", "mh"}) {
    const auto shares = hash_shares(scheduled(scheduler), before, scheduled(scheduler), after, kKey);
    EXPECT_NEAR(100.0 * shares->refused / shares->buckets, 50, 1) << scheduler;
    EXPECT_EQ(shares->moved, 0U) << scheduler;
  }
  for (const char* scheduler : {"sh", "mh"}) {
    const auto flagged = scheduled(scheduler, sched_flag_1);
    const auto shares = hash_shares(flagged, before, flagged, after, kKey);
    EXPECT_EQ(shares->refused, 0U) << scheduler;
    EXPECT_NEAR(100.0 * shares->moved / shares->buckets, 50, 1) << scheduler;
  }
}

TEST(HashShares, maglev_gives_a_quiesced_servers_share_to_the_others_and_deals_anew_when_its_table_grows) {
  const DestinationList before = {server(1), server(2)};
  const auto quiesced = hash_shares(scheduled("maglev"), before, scheduled("maglev"), {server(1), server(2, 0)}, kKey);
  EXPECT_EQ(quiesced->refused, 0U);
  EXPECT_NEAR(100.0 * quiesced->moved / quiesced->buckets, 50, 1);
  DestinationList forty;
  for (int number = 1; number <= 40; ++number) forty.push_back(server(number));
  DestinationList more = forty;
  more.push_back(server(41));
  const auto grown = hash_shares(scheduled("maglev"), forty, scheduled("maglev"), more, kKey);
  EXPECT_EQ(grown->buckets, 16381U);
  EXPECT_GT(grown->moved, grown->buckets * 9 / 10);
}

TEST(HashShares, without_a_table_there_are_none) {
  const DestinationList list = {server(1)};
  EXPECT_FALSE(hash_shares(scheduled("wlc"), list, scheduled("wlc"), list, kKey));
  EXPECT_FALSE(hash_shares(scheduled("wlc"), list, scheduled("sh"), list, kKey));
  EXPECT_EQ(hash_shares(scheduled("sh"), list, scheduled("sh"), {}, kKey)->refused, 256U);
}

}  // namespace
}  // namespace limpet::dataplane
