// SPDX-License-Identifier: Apache-2.0
// What notifications say, and that bytes which are none say nothing.
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <random>
#include <vector>

#include "network/monitor.h"

namespace limpet::network {
namespace {

using Bytes = std::vector<std::byte>;

template <class Body>
Bytes notification(std::uint16_t type, const Body& body) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_len = sizeof header + sizeof body;
  Bytes bytes(sizeof header + sizeof body);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, &body, sizeof body);
  return bytes;
}

rtmsg route_of_type(std::uint8_t type) {
  rtmsg route{};
  route.rtm_type = type;
  return route;
}

TEST(Changes, each_kind_of_notification_is_told_apart) {
  EXPECT_EQ(changes_in(notification(RTM_NEWLINK, ifinfomsg{})), Changes{.links = true});
  EXPECT_EQ(changes_in(notification(RTM_DELADDR, ifaddrmsg{})), Changes{.addresses = true});
  EXPECT_EQ(changes_in(notification(RTM_NEWROUTE, route_of_type(RTN_UNICAST))), Changes{.routes = true});
  EXPECT_EQ(changes_in(notification(RTM_DELRULE, ifaddrmsg{})), Changes{.rules = true});
}

TEST(Changes, a_local_route_is_an_address_of_this_host) {
  EXPECT_EQ(changes_in(notification(RTM_NEWROUTE, route_of_type(RTN_LOCAL))), Changes{.addresses = true});
}

TEST(Changes, all_messages_of_a_datagram_count) {
  Bytes both = notification(RTM_NEWLINK, ifinfomsg{});
  const Bytes second = notification(RTM_NEWADDR, ifaddrmsg{});
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_EQ(changes_in(both), (Changes{.links = true, .addresses = true}));
}

TEST(Changes, a_cut_off_message_says_nothing) {
  const Bytes whole = notification(RTM_NEWLINK, ifinfomsg{});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(changes_in(std::span(whole).first(size)).any()) << size;
  }
}

TEST(Changes, garbage_is_survived) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes(random() % 200);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    if (bytes.size() >= 4 && round % 2 == 0) {
      const std::uint32_t length = random() % 64;  // so that more than the first header is looked at
      std::memcpy(bytes.data(), &length, sizeof length);
    }
    changes_in(bytes);
  }
}

}  // namespace
}  // namespace limpet::network
