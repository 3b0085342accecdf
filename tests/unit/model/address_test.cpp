// SPDX-License-Identifier: Apache-2.0
// Addresses, endpoints and service names to and from text.
#include <gtest/gtest.h>

#include "model/service.h"

namespace limpet {
namespace {

TEST(Address, is_read_and_written_in_its_usual_form) {
  EXPECT_EQ(Address::parse("192.0.2.1")->to_string(), "192.0.2.1");
  EXPECT_EQ(Address::parse("2001:DB8:0:0::1")->to_string(), "2001:db8::1");
  EXPECT_FALSE(Address::parse("192.0.2"));
  EXPECT_FALSE(Address::parse("www.example.net"));
  EXPECT_FALSE(Address::parse(std::string_view("192.0.2.1\0x", 11)));
}

TEST(Address, knows_what_kind_it_is) {
  EXPECT_TRUE(Address().is_unspecified());
  EXPECT_TRUE(Address::parse("::")->is_unspecified());
  EXPECT_TRUE(Address::parse("224.0.0.1")->is_multicast());
  EXPECT_TRUE(Address::parse("ff02::1")->is_multicast());
  EXPECT_FALSE(Address::parse("240.0.0.1")->is_multicast());
  EXPECT_TRUE(Address::parse("127.3.2.1")->is_loopback());
  EXPECT_TRUE(Address::parse("::1")->is_loopback());
  EXPECT_FALSE(Address::parse("1::1")->is_loopback());
  EXPECT_TRUE(Address::parse("255.255.255.255")->is_broadcast());
}

TEST(Endpoint, has_brackets_exactly_where_the_address_is_ipv6) {
  EXPECT_EQ(endpoint_to_string(*Address::parse("fd00::1"), Port{80}), "[fd00::1]:80");
  EXPECT_EQ(endpoint_from_string("[fd00::1]:80")->port.value, 80);
  EXPECT_EQ(endpoint_from_string("192.0.2.1:65535")->port.value, 65535);
  for (const auto* wrong : {"fd00::1:80", "[192.0.2.1]:80", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536",
                            "192.0.2.1:-1", "192.0.2.1:80x", "[]:80", ":80", ""}) {
    EXPECT_FALSE(endpoint_from_string(wrong)) << wrong;
  }
}

TEST(ServiceKey, survives_the_way_to_text_and_back) {
  for (const auto* name :
       {"tcp/192.0.2.1:80", "udp/[2001:db8::1]:53", "sctp/192.0.2.1:0", "fwm/10", "fwm6/4294967295"}) {
    const auto key = ServiceKey::parse(name);
    ASSERT_TRUE(key) << name;
    EXPECT_EQ(key->to_string(), name);
  }
  for (const auto* wrong : {"fwm/0", "fwm/-1", "fwm/4294967296", "fwm/", "icmp/192.0.2.1:80", "tcp/80", "tcp", ""}) {
    EXPECT_FALSE(ServiceKey::parse(wrong)) << wrong;
  }
}

TEST(ServiceKey, of_a_mark_has_its_family_and_no_address) {
  const auto key = ServiceKey::of_mark(Mark{7}, Family::ipv6);
  EXPECT_TRUE(key.is_mark());
  EXPECT_EQ(key.family, Family::ipv6);
  EXPECT_EQ(key.protocol, Protocol::ip);
  EXPECT_EQ(*ServiceKey::parse("fwm6/7"), key);
  EXPECT_NE(*ServiceKey::parse("fwm/7"), key);
}

TEST(Scheduler, is_known_by_the_name_ipvs_has_for_it) {
  EXPECT_EQ(scheduler_from_name("rr"), Scheduler::rr);
  EXPECT_EQ(scheduler_from_name("mh"), Scheduler::mh);
  EXPECT_EQ(scheduler_from_name("sed"), Scheduler::sed);
  EXPECT_EQ(scheduler_from_name("twos"), Scheduler::twos);
  EXPECT_FALSE(scheduler_from_name("RR"));
  EXPECT_FALSE(scheduler_from_name(""));
}

}  // namespace
}  // namespace limpet
