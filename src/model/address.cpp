// SPDX-License-Identifier: Apache-2.0
// Addresses and endpoints to and from text.
#include "model/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace limpet {

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "TCP";
    case Protocol::udp:
      return "UDP";
    case Protocol::sctp:
      return "SCTP";
    case Protocol::ip:
      break;
  }
  return "IP";
}

Address Address::ipv4(std::uint32_t network_order) {
  Address address;
  std::memcpy(address.bytes_.data(), &network_order, sizeof network_order);
  return address;
}

Address Address::ipv6(const std::array<std::uint8_t, 16>& bytes) {
  Address address;
  address.family_ = Family::ipv6;
  address.bytes_ = bytes;
  return address;
}

std::optional<Address> Address::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
  in_addr four{};
  if (inet_pton(AF_INET, terminated.c_str(), &four) == 1) return ipv4(four.s_addr);
  std::array<std::uint8_t, 16> six{};
  if (inet_pton(AF_INET6, terminated.c_str(), six.data()) == 1) return ipv6(six);
  return std::nullopt;
}

std::uint32_t Address::ipv4_network_order() const {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes_.data(), sizeof value);
  return value;
}

std::string Address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family_ == Family::ipv6) {
    inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
    return text.data();
  }
  // Not by inet_ntop(), which prints to a format: every command is written with its addresses.
  char* end = text.data();
  for (std::size_t i = 0; i < sizeof(in_addr); ++i) {
    if (i != 0) *end++ = '.';
    end = std::to_chars(end, text.data() + text.size(), bytes_[i]).ptr;
  }
  return {text.data(), end};
}

bool Address::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool Address::is_multicast() const { return family_ == Family::ipv4 ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff; }

bool Address::is_loopback() const {
  if (family_ == Family::ipv4) return bytes_[0] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

bool Address::is_broadcast() const { return family_ == Family::ipv4 && ipv4_network_order() == 0xffffffff; }

std::string endpoint_to_string(const Address& address, Port port) {
  const bool brackets = address.family() == Family::ipv6;
  std::string text = brackets ? "[" + address.to_string() + "]" : address.to_string();
  return text.append(":").append(std::to_string(port.value));
}

std::optional<Endpoint> endpoint_from_string(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);

  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  // Brackets mark IPv6 and nothing else: "fd00::1:80" without them would be ambiguous.
  if (!address || brackets != (address->family() == Family::ipv6)) return std::nullopt;

  Port port;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port.value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return Endpoint{*address, port};
}

}  // namespace limpet
