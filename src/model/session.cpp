// SPDX-License-Identifier: Apache-2.0
// Networks and servers as filters name them.
#include "model/session.h"

#include <arpa/inet.h>

#include <array>
#include <bit>
#include <charconv>

namespace limpet {
namespace {

unsigned bits_of(Family family) { return family == Family::ipv4 ? 32 : 128; }

std::optional<unsigned> prefix_of(std::string_view digits, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value > most) return std::nullopt;
  return value;
}

Address masked(const Address& address, unsigned prefix) {
  std::array<std::uint8_t, 16> bytes = address.bytes();
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const unsigned kept = prefix > i * 8 ? prefix - i * 8 : 0;
    if (kept < 8) bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> kept));
  }
  if (address.family() == Family::ipv6) return Address::ipv6(bytes);
  return Address::ipv4(std::bit_cast<std::uint32_t>(std::array{bytes[0], bytes[1], bytes[2], bytes[3]}));
}

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  unsigned prefix = bits_of(address->family());
  if (slash != std::string_view::npos) {
    const auto given = prefix_of(text.substr(slash + 1), prefix);
    if (!given) return std::nullopt;
    prefix = *given;
  }
  return Network{masked(*address, prefix), prefix};
}

std::string Network::to_string() const {
  if (prefix_length == bits_of(address.family())) return address.to_string();
  return address.to_string() + "/" + std::to_string(prefix_length);
}

std::uint32_t Network::ipv4_mask() const { return prefix_length == 0 ? 0 : htonl(~0U << (32 - prefix_length)); }

std::string ipv4_network_text(const Address& address, std::uint32_t mask) {
  const Address network = Address::ipv4(address.ipv4_network_order() & mask);
  const std::uint32_t host_order = ntohl(mask);
  const auto ones = static_cast<unsigned>(std::countl_one(host_order));
  const bool has_holes = std::popcount(host_order) != static_cast<int>(ones);
  if (has_holes) return network.to_string() + "/" + Address::ipv4(mask).to_string();
  return Network{network, ones}.to_string();
}

std::optional<ServerName> ServerName::parse(std::string_view text) {
  if (const auto endpoint = endpoint_from_string(text)) return ServerName{endpoint->address, endpoint->port};
  const auto address = Address::parse(text);
  if (!address) return std::nullopt;
  return ServerName{*address, std::nullopt};
}

std::string ServerName::to_string() const { return port ? endpoint_to_string(address, *port) : address.to_string(); }

}  // namespace limpet
