// SPDX-License-Identifier: Apache-2.0
// Addresses, ports, marks and protocols as strong types, so that a port in host order is never mixed with one in
// network order nor a mark with an address.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace limpet {

enum class Family : std::uint8_t { ipv4 = 2, ipv6 = 10 };  // AF_INET, AF_INET6

// Values are IANA's protocol numbers. `ip` stands for "any", as in the templates of firewall-mark services.
enum class Protocol : std::uint8_t { ip = 0, tcp = 6, udp = 17, sctp = 132 };

std::string_view protocol_name(Protocol protocol);  // "TCP", "UDP", "SCTP", "IP"

// An IPv4 or IPv6 address; bytes are in network order, an IPv4 address uses the first four.
class Address {
 public:
  Address() = default;  // 0.0.0.0
  static Address ipv4(std::uint32_t network_order);
  static Address ipv6(const std::array<std::uint8_t, 16>& bytes);
  // "192.0.2.1" or "2001:db8::1" (no brackets, no port, no names).
  static std::optional<Address> parse(std::string_view text);

  Family family() const { return family_; }
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  std::uint32_t ipv4_network_order() const;  // precondition: family() == Family::ipv4
  std::string to_string() const;

  bool is_unspecified() const;
  bool is_multicast() const;
  bool is_loopback() const;
  bool is_broadcast() const;  // 255.255.255.255

  auto operator<=>(const Address&) const = default;

 private:
  Family family_ = Family::ipv4;
  std::array<std::uint8_t, 16> bytes_{};
};

struct Port {
  std::uint16_t value = 0;  // host order
  auto operator<=>(const Port&) const = default;
};

struct Mark {
  std::uint32_t value = 0;  // a firewall mark as `iptables --set-mark` gives it; 0: none
  auto operator<=>(const Mark&) const = default;
};

// "192.0.2.1:80" or "[2001:db8::1]:80".
std::string endpoint_to_string(const Address& address, Port port);
struct Endpoint {
  Address address;
  Port port;
};
std::optional<Endpoint> endpoint_from_string(std::string_view text);

}  // namespace limpet
