// SPDX-License-Identifier: Apache-2.0
// The small functions of the kernel tables' value types.
#include "network/netlink_types.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstddef>
#include <cstdio>

namespace limpet::network {

std::string mac_to_string(const MacAddress& mac) {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                mac[5]);
  return text.data();
}

bool Link::is_up() const { return (flags & IFF_UP) != 0; }

Prefix Prefix::host(const Address& address) {
  return {.address = address, .length = static_cast<std::uint8_t>(address.family() == Family::ipv4 ? 32 : 128)};
}

bool Prefix::contains(const Address& other) const {
  if (other.family() != address.family()) return false;
  for (std::size_t bit = 0; bit < length; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if ((address.bytes()[bit / 8] & mask) != (other.bytes()[bit / 8] & mask)) return false;
  }
  return true;
}

std::string Prefix::to_string() const { return address.to_string() + "/" + std::to_string(length); }

std::string Rule::to_string() const {
  std::string text = "pref " + std::to_string(priority);
  if (!input_interface.empty()) text += " iif " + input_interface;
  if (mask != 0) {
    std::array<char, 40> selector{};
    std::snprintf(selector.data(), selector.size(), " fwmark 0x%x/0x%x", mark, mask);
    text += selector.data();
  }
  if (ip_protocol != 0) text += " ipproto " + std::to_string(ip_protocol);
  if (narrowed_otherwise) text += " (with more selectors)";
  if (action == FR_ACT_BLACKHOLE) return text + " blackhole";
  if (action == FR_ACT_GOTO) return text + " goto " + std::to_string(target);
  if (action == FR_ACT_NOP) return text + " nop";
  if (action != FR_ACT_TO_TBL) return text + " action " + std::to_string(action);
  return text + " lookup " + (table == RT_TABLE_LOCAL ? "local" : std::to_string(table));
}

}  // namespace limpet::network
