// SPDX-License-Identifier: Apache-2.0
// Model values as the data plane's keys, and the hash of the bystander bitmap.
#include "dataplane/keys.h"

#include <cstring>
#include <set>

#include <gtest/gtest.h>

#include "dataplane/address_bits.h"

namespace limpet::dataplane {
namespace {

ServiceKey key(const char* name) { return *ServiceKey::parse(name); }

TEST(Keys, every_kind_of_service_key_comes_back_as_it_was) {
  for (const char* name : {"tcp/192.0.2.1:80", "udp/192.0.2.1:0", "sctp/255.255.255.255:65535", "tcp/0.0.0.0:443",
                           "tcp/[2001:db8::1]:80", "udp/[::ffff:192.0.2.1]:53", "fwm/1", "fwm/4294967295", "fwm6/10"})
    EXPECT_EQ(service_key(service_key(key(name))), key(name)) << name;
}

TEST(Keys, addresses_and_ports_are_in_network_order_and_marks_in_host_order) {
  const limpet_service_key web = service_key(key("tcp/192.0.2.1:80"));
  limpet_service_key expected{};
  expected.family = LIMPET_IPV4;
  expected.protocol = 6;
  expected.address[0] = 192;
  expected.address[2] = 2;
  expected.address[3] = 1;
  const std::uint8_t port[2] = {0, 80};
  std::memcpy(&expected.port, port, sizeof(port));
  EXPECT_EQ(std::memcmp(&web, &expected, sizeof(web)), 0);
  EXPECT_EQ(service_key(key("fwm/10")).mark, 10u);
}

// The kernel hashes keys byte by byte: what a mark service does not have must be zero.
TEST(Keys, the_key_of_a_mark_service_is_nothing_but_family_and_mark) {
  const limpet_service_key six = service_key(key("fwm6/10"));
  limpet_service_key expected{};
  expected.family = LIMPET_IPV6;
  expected.mark = 10;
  EXPECT_EQ(std::memcmp(&six, &expected, sizeof(six)), 0);
}

TEST(Keys, both_families_of_a_mark_are_different_services) {
  const limpet_service_key four = service_key(key("fwm/10"));
  const limpet_service_key six = service_key(key("fwm6/10"));
  EXPECT_NE(std::memcmp(&four, &six, sizeof(four)), 0);
}

TEST(AddressBits, the_hash_is_the_upper_half_of_the_address_times_the_golden_ratio) {
  // Packets compute it in the kernel, and the bitmap outlives limpetd: these are part of the format.
  EXPECT_EQ(address4_bit(0), 0u);
  EXPECT_EQ(address4_bit(1), 0x9e37u);
  EXPECT_EQ(address4_bit(0x10000), 0x79b1u);
  EXPECT_EQ(address4_bit(0xffffffff), 0x61c8u);
}

TEST(AddressBits, every_address_of_a_network_of_65536_has_a_bit_of_its_own) {
  for (const char* network : {"10.0.0.0", "192.0.0.0", "198.51.0.0"}) {
    std::set<std::uint32_t> bits;
    auto bytes = Address::parse(network)->bytes();
    for (unsigned host = 0; host < 65536; ++host) {
      bytes[2] = static_cast<std::uint8_t>(host >> 8);
      bytes[3] = static_cast<std::uint8_t>(host);
      std::uint32_t network_order = 0;
      std::memcpy(&network_order, bytes.data(), sizeof(network_order));
      bits.insert(address4_bit(network_order));
    }
    EXPECT_EQ(bits.size(), 65536u) << network;
    EXPECT_LT(*bits.rbegin(), sizeof(limpet_address_bitmap::bank[0]) * 8) << "the bitmap holds them all";
  }
}

}  // namespace
}  // namespace limpet::dataplane
