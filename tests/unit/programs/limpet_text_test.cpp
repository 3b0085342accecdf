// SPDX-License-Identifier: Apache-2.0
// limpet's tables, quantities and names.
#include "programs/limpet_text.h"

#include <gtest/gtest.h>

namespace limpet::text {
namespace {

TEST(LimpetText, columns_are_as_wide_as_their_widest_cell) {
  Table table({{"NAME"}, {"HOW"}, {"WEIGHT", Table::Align::right}});
  table.add({"a", "route", "1"});
  table.add({"longer", "", "12345678"});
  table.add({"cut"});
  EXPECT_EQ(table.to_string(),
            "NAME    HOW      WEIGHT\n"
            "a       route         1\n"
            "longer         12345678\n"
            "cut\n");
}

TEST(LimpetText, a_cell_longer_than_its_column_pushes_the_rest) {
  const std::vector<std::size_t> widths = {4, 4};
  EXPECT_EQ(row({"ab", "cd", "e"}, widths), "ab    cd    e\n");
  EXPECT_EQ(row({"abcdef", "cd", ""}, widths), "abcdef  cd\n");
}

TEST(LimpetText, quantities_are_short_and_exact_while_they_are_small) {
  EXPECT_EQ(count(0), "0");
  EXPECT_EQ(count(99999), "99999");
  EXPECT_EQ(count(100000), "100.0k");
  EXPECT_EQ(count(999949), "999.9k");
  EXPECT_EQ(count(999950), "1.0M");
  EXPECT_EQ(count(UINT64_MAX), "18.4E");
  EXPECT_EQ(bytes(999), "999 B");
  EXPECT_EQ(bytes(1000), "1.0 kB");
  EXPECT_EQ(bytes(1550), "1.6 kB");
  EXPECT_EQ(bytes(2000000000), "2.0 GB");
  EXPECT_EQ(bytes(UINT64_MAX), "18.4 EB");
}

TEST(LimpetText, times_are_read_at_a_glance) {
  EXPECT_EQ(clock(0), "00:00");
  EXPECT_EQ(clock(899), "14:59");
  EXPECT_EQ(clock(3600), "1:00:00");
  EXPECT_EQ(clock(2678400), "744:00:00");
  EXPECT_EQ(duration(45), "45 s");
  EXPECT_EQ(duration(600), "10 min");
  EXPECT_EQ(duration(598), "9 min 58 s");
  EXPECT_EQ(duration(7505), "2 h 5 min");
}

TEST(LimpetText, a_service_is_named_as_a_filter_takes_it) {
  const Address vip = *Address::parse("192.0.2.1");
  EXPECT_EQ(name(ServiceKey::of_address(Protocol::tcp, vip, Port{80})), "tcp:192.0.2.1:80");
  EXPECT_EQ(name(ServiceKey::of_address(Protocol::udp, vip, Port{0})), "udp:192.0.2.1:*");
  EXPECT_EQ(name(ServiceKey::of_address(Protocol::tcp, vip, Port{800})), "tcp:192.0.2.1:800");
  EXPECT_EQ(name(ServiceKey::of_mark(Mark{10})), "fwm:10");
}

TEST(LimpetText, scheduling_says_what_persistence_is_for) {
  Service service;
  service.scheduler = "rr";
  EXPECT_EQ(scheduling(service), "rr");
  service.persistent = true;
  service.timeout = 600;
  EXPECT_EQ(scheduling(service), "rr, persistent 10 min");
  service.netmask = Address::parse("255.255.255.0")->ipv4_network_order();
  EXPECT_EQ(scheduling(service), "rr, persistent 10 min per /24");
  service.netmask = Address::parse("255.0.255.0")->ipv4_network_order();
  EXPECT_EQ(scheduling(service), "rr, persistent 10 min per /255.0.255.0");
}

}  // namespace
}  // namespace limpet::text
