// SPDX-License-Identifier: Apache-2.0
// Building and reading frames.
#include "frame.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "world.h"

namespace limpet::packet {
namespace {

void put16(Bytes& bytes, std::size_t offset, std::uint32_t value) {
  bytes.at(offset) = static_cast<std::uint8_t>(value >> 8);
  bytes.at(offset + 1) = static_cast<std::uint8_t>(value);
}

void put_address(Bytes& bytes, std::size_t offset, std::uint32_t network_order) {
  std::memcpy(&bytes.at(offset), &network_order, sizeof(network_order));
}

// The pseudo header's part of a TCP or UDP checksum.
std::uint32_t pseudo_sum(std::uint32_t source, std::uint32_t destination, std::uint8_t protocol, std::size_t length) {
  const std::uint32_t s = ntohl(source);
  const std::uint32_t d = ntohl(destination);
  return (s >> 16) + (s & 0xffff) + (d >> 16) + (d & 0xffff) + protocol + static_cast<std::uint32_t>(length);
}

void fix_ip_checksum(Bytes& frame, std::size_t offset, bool spoiled) {
  const std::size_t length = static_cast<std::size_t>(frame.at(offset) & 0xf) * 4;
  if (length < 20 || frame.size() < offset + length) return;
  put16(frame, offset + 10, 0);
  const std::uint16_t right = internet_checksum(&frame.at(offset), length);
  put16(frame, offset + 10, spoiled ? right ^ 0x0101U : right);
}

}  // namespace

std::uint32_t ip(const std::string& text) {
  in_addr address{};
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) throw std::invalid_argument(text);
  return address.s_addr;
}

std::string text_of(std::uint32_t address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  in_addr raw{};
  raw.s_addr = address;
  return inet_ntop(AF_INET, &raw, text.data(), text.size());
}

std::uint16_t internet_checksum(const std::uint8_t* bytes, std::size_t length, std::uint32_t seed) {
  std::uint64_t sum = seed;
  for (std::size_t i = 0; i + 1 < length; i += 2) sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if (length % 2 != 0) sum += static_cast<std::uint32_t>(bytes[length - 1] << 8);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

Packet::Packet()
    : source_mac_(kGatewayMac), destination_mac_(kDirectorMac), source_(ip("10.0.0.1")), destination_(ip(kVip)) {}

Packet& Packet::from(const std::string& address, std::uint16_t port) { return from_address(ip(address), port); }
Packet& Packet::to(const std::string& address, std::uint16_t port) { return to_address(ip(address), port); }

Packet& Packet::from_address(std::uint32_t address, std::uint16_t port) {
  source_ = address;
  source_port_ = port;
  return *this;
}

Packet& Packet::to_address(std::uint32_t address, std::uint16_t port) {
  destination_ = address;
  destination_port_ = port;
  return *this;
}

Packet& Packet::tcp(int flags) {
  icmp_.clear();
  is_udp_ = false;
  number_ = 6;
  tcp_flags_ = static_cast<std::uint8_t>(flags);
  return *this;
}

Packet& Packet::udp() {
  icmp_.clear();
  is_udp_ = true;
  number_ = 17;
  return *this;
}

Packet& Packet::without_udp_checksum() {
  udp_checksum_ = false;
  return *this;
}

Packet& Packet::icmp(std::uint8_t type, std::uint8_t code, const Bytes& quoted, std::uint16_t mtu) {
  number_ = 1;
  icmp_ = {type, code, 0, 0, 0, 0, 0, 0};
  put16(icmp_, 6, mtu);
  icmp_.insert(icmp_.end(), quoted.begin(), quoted.end());
  return *this;
}

Packet& Packet::protocol(std::uint8_t number) {
  number_ = number;
  return *this;
}

Packet& Packet::payload(std::size_t size, std::uint8_t seed) {
  payload_.resize(size);
  std::uint32_t value = seed;
  for (auto& byte : payload_) byte = static_cast<std::uint8_t>((value = value * 1103515245U + 12345U) >> 16);
  return *this;
}

Packet& Packet::data(const Bytes& payload) {
  payload_ = payload;
  return *this;
}

Packet& Packet::padding(std::size_t size) {
  padding_ = size;
  return *this;
}

Packet& Packet::ttl(std::uint8_t ttl) {
  ttl_ = ttl;
  return *this;
}

Packet& Packet::dont_fragment() {
  fragment_ |= 0x4000;
  return *this;
}

Packet& Packet::fragment(std::uint16_t offset_units, bool more) {
  fragment_ = static_cast<std::uint16_t>((fragment_ & 0x4000) | offset_units | (more ? 0x2000 : 0));
  return *this;
}

Packet& Packet::ip_options(std::size_t bytes) {
  options_ = bytes;
  return *this;
}

Packet& Packet::to_mac(const Mac& mac) {
  destination_mac_ = mac;
  return *this;
}

Packet& Packet::vlan(std::uint16_t tag) {
  vlan_ = tag;
  return *this;
}

Packet& Packet::ethertype(std::uint16_t type) {
  ethertype_ = type;
  return *this;
}

Packet& Packet::byte(std::size_t offset, std::uint8_t value) {
  patches_.emplace_back(offset, value);
  return *this;
}

Packet& Packet::spoil_ip_checksum() {
  spoiled_ = true;
  return *this;
}

Packet& Packet::cut(std::size_t length) {
  cut_ = length;
  return *this;
}

Bytes Packet::transport() const {
  if (!icmp_.empty()) {
    Bytes l4 = icmp_;
    put16(l4, 2, internet_checksum(l4.data(), l4.size()));
    return l4;
  }
  Bytes l4(is_udp_ ? 8 : 20);
  put16(l4, 0, source_port_);
  put16(l4, 2, destination_port_);
  if (is_udp_) {
    put16(l4, 4, static_cast<std::uint32_t>(l4.size() + payload_.size()));
  } else {
    put16(l4, 6, 0x1234);  // sequence
    l4.at(12) = 5 << 4;
    l4.at(13) = tcp_flags_;
    put16(l4, 14, 0xfaf0);
  }
  l4.insert(l4.end(), payload_.begin(), payload_.end());
  if (is_udp_ && !udp_checksum_) return l4;
  std::uint16_t sum = internet_checksum(l4.data(), l4.size(), pseudo_sum(source_, destination_, number_, l4.size()));
  if (is_udp_ && sum == 0) sum = 0xffff;
  put16(l4, is_udp_ ? 6 : 16, sum);
  return l4;
}

Bytes Packet::bytes() const {
  Bytes frame;
  frame.insert(frame.end(), destination_mac_.begin(), destination_mac_.end());
  frame.insert(frame.end(), source_mac_.begin(), source_mac_.end());
  if (vlan_ >= 0) {
    frame.resize(frame.size() + 4);
    put16(frame, 12, 0x8100);
    put16(frame, 14, static_cast<std::uint32_t>(vlan_));
  }
  frame.resize(frame.size() + 2);
  put16(frame, frame.size() - 2, ethertype_);

  const Bytes l4 = transport();
  const std::size_t start = frame.size();
  Bytes header(20 + options_, 1);  // options: no operation
  header.at(0) = static_cast<std::uint8_t>(0x40 | header.size() / 4);
  header.at(1) = 0;
  put16(header, 2, static_cast<std::uint32_t>(header.size() + l4.size()));
  put16(header, 4, 0x4242);
  put16(header, 6, fragment_);
  header.at(8) = ttl_;
  header.at(9) = number_;
  put_address(header, 12, source_);
  put_address(header, 16, destination_);
  frame.insert(frame.end(), header.begin(), header.end());
  frame.insert(frame.end(), l4.begin(), l4.end());
  frame.resize(frame.size() + padding_);
  for (const auto& [offset, value] : patches_) frame.at(offset) = value;
  fix_ip_checksum(frame, start, spoiled_);
  frame.resize(std::min(frame.size(), cut_));
  return frame;
}

bool View::ip_checksum_is_right() const { return internet_checksum(&frame_.at(kEthernet), 20) == 0; }

bool View::l4_checksum_is_right() const {
  const std::size_t length = total_length() - 20U;
  if (frame_.size() < kL4 + length) return false;
  if (protocol() == 1) return internet_checksum(&frame_.at(kL4), length) == 0;
  if (protocol() == 17 && udp_checksum() == 0) return true;
  const std::uint32_t seed = pseudo_sum(address(kEthernet + 12), address(kEthernet + 16), protocol(), length);
  return internet_checksum(&frame_.at(kL4), length, seed) == 0;
}

Mac View::mac(std::size_t offset) const {
  Mac mac;
  std::copy_n(frame_.begin() + static_cast<std::ptrdiff_t>(offset), mac.size(), mac.begin());
  return mac;
}

std::uint32_t View::address(std::size_t offset) const {
  std::uint32_t address = 0;
  std::memcpy(&address, &frame_.at(offset), sizeof(address));
  return address;
}

}  // namespace limpet::packet
