// SPDX-License-Identifier: Apache-2.0
// What the kernel's tables hold, as values: links, addresses, prefixes, routes, rules and neighbours.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "model/address.h"

namespace limpet::network {

// Stamped on every route, rule and neighbour limpet makes (rtm_protocol, FRA_PROTOCOL, NDA_PROTOCOL), so that the
// leftovers of a killed process are recognised. Not one of the numbers in iproute2's rt_protos.
constexpr std::uint8_t kRouteProtocol = 76;

using MacAddress = std::array<std::uint8_t, 6>;
std::string mac_to_string(const MacAddress& mac);  // "02:4c:49:4d:50:54"

struct Link {
  int index = 0;
  std::string name;
  std::string kind;            // "veth", "bridge", ...; empty for a network card and the loopback
  std::uint16_t hardware = 0;  // ARPHRD_*
  MacAddress mac{};            // zero unless the link-layer address has six bytes
  std::uint32_t mtu = 0;
  std::uint32_t flags = 0;  // IFF_*
  int peer_index = 0;       // IFLA_LINK: a veth's other end, a VLAN's lower link; 0: none or in another namespace
  int master_index = 0;     // 0: none
  std::string master_kind;  // "bridge", "bond", ...

  bool is_up() const;
};

struct Prefix {
  Address address;
  std::uint8_t length = 32;

  static Prefix host(const Address& address);  // /32 or /128
  bool contains(const Address& other) const;
  std::string to_string() const;  // "192.0.2.0/24"
  auto operator<=>(const Prefix&) const = default;
};

struct InterfaceAddress {
  int interface = 0;
  Address address;  // the host's own, also on a point-to-point link
  std::uint8_t prefix_length = 32;
  std::uint8_t scope = 0;  // RT_SCOPE_*

  bool operator==(const InterfaceAddress&) const = default;
};

struct Route {
  Prefix prefix;
  int interface = 0;  // 0: none (kNowhere), or several next hops
  std::uint32_t table = 0;
  std::uint8_t type = 0;      // RTN_*
  std::uint8_t protocol = 0;  // RTPROT_*
};

// The routes of a table of ours: prefix and the interface it leads out of.
using OwnRoutes = std::map<Prefix, int>;
constexpr int kNowhere = 0;  // in place of an interface: the look-up goes on behind this table (RTN_THROW)

struct Rule {
  Family family = Family::ipv4;
  std::uint32_t priority = 0;
  std::uint8_t action = 0;  // FR_ACT_*
  std::uint32_t table = 0;
  std::uint32_t target = 0;     // of FR_ACT_GOTO: the preference to go on with
  std::string input_interface;  // empty: any
  std::uint32_t mark = 0;
  std::uint32_t mask = 0;           // 0: the mark does not matter
  std::uint8_t ip_protocol = 0;     // IPPROTO_*; 0: any
  std::uint8_t protocol = 0;        // who made it: RTPROT_*
  bool narrowed_otherwise = false;  // by something not read here: a source, ports, "not", ...
  bool inverted = false;            // by "not", among others

  std::string to_string() const;  // as a part of a sentence: "pref 0 fwmark 0xa lookup 19536"
  bool operator==(const Rule&) const = default;
};

struct Neighbour {
  int interface = 0;
  Address address;
  std::uint16_t state = 0;  // NUD_*
  std::optional<MacAddress> mac;
  bool managed = false;
  std::uint8_t protocol = 0;
};

// As the kernel would route it; port-dependent rules are left out of it.
struct IncomingPacket {
  int interface = 0;
  Address source;
  Address destination;
  std::uint32_t mark = 0;
  std::uint8_t ip_protocol = 0;  // IPPROTO_*
};

// What the kernel would do with a packet of this host's own to an address.
struct NextHop {
  int interface = 0;
  std::optional<Address> gateway;  // none: the address is on the link; may be IPv6 for an IPv4 address
  bool local = false;              // the address is this host's own
};

}  // namespace limpet::network
