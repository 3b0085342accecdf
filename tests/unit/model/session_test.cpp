// SPDX-License-Identifier: Apache-2.0
// Networks and servers as filters name them.
#include "model/session.h"

#include <gtest/gtest.h>

namespace limpet {
namespace {

std::uint32_t mask(const char* text) { return Address::parse(text)->ipv4_network_order(); }

TEST(NetworkText, a_network_loses_the_bits_behind_its_prefix) {
  EXPECT_EQ(Network::parse("10.1.2.3/24")->to_string(), "10.1.2.0/24");
  EXPECT_EQ(Network::parse("10.1.2.3/31")->to_string(), "10.1.2.2/31");
  EXPECT_EQ(Network::parse("10.1.2.3/32")->to_string(), "10.1.2.3");
  EXPECT_EQ(Network::parse("10.1.2.3/0")->to_string(), "0.0.0.0/0");
  EXPECT_EQ(Network::parse("2001:db8:ffff::1/33")->to_string(), "2001:db8:8000::/33");
}

TEST(NetworkText, a_prefix_is_a_mask) {
  EXPECT_EQ(Network::parse("10.0.0.0/0")->ipv4_mask(), 0U);
  EXPECT_EQ(Network::parse("10.0.0.0/9")->ipv4_mask(), mask("255.128.0.0"));
  EXPECT_EQ(Network::parse("10.0.0.0")->ipv4_mask(), mask("255.255.255.255"));
}

TEST(NetworkText, what_is_none_is_refused) {
  for (const char* text : {"", "/24", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/8 ", "::/129", "10.0.0/8"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(NetworkText, a_netmask_with_holes_is_written_out) {
  const Address client = *Address::parse("10.1.2.3");
  EXPECT_EQ(ipv4_network_text(client, mask("255.255.255.255")), "10.1.2.3");
  EXPECT_EQ(ipv4_network_text(client, mask("255.255.0.0")), "10.1.0.0/16");
  EXPECT_EQ(ipv4_network_text(client, mask("255.0.255.0")), "10.0.2.0/255.0.255.0");
  EXPECT_EQ(ipv4_network_text(client, 0), "0.0.0.0/0");
}

TEST(ServerNames, have_a_port_or_none) {
  EXPECT_EQ(ServerName::parse("10.0.0.1")->port, std::nullopt);
  EXPECT_EQ(ServerName::parse("10.0.0.1:0")->port, Port{0});
  EXPECT_EQ(ServerName::parse("[2001:db8::1]:80")->to_string(), "[2001:db8::1]:80");
  EXPECT_EQ(ServerName::parse("2001:db8::1")->to_string(), "2001:db8::1");
  EXPECT_FALSE(ServerName::parse("10.0.0.1:"));
  EXPECT_FALSE(ServerName::parse("server1"));
}

}  // namespace
}  // namespace limpet
