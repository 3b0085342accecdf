// SPDX-License-Identifier: Apache-2.0
// Frames for the packet tests: a fluent builder, and a view that reads one and recomputes its checksums.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace limpet::packet {

using Bytes = std::vector<std::uint8_t>;
using Mac = std::array<std::uint8_t, 6>;

inline constexpr std::size_t kEthernet = 14;
inline constexpr std::size_t kL4 = 34;

// An IPv4 address in network order, as the data plane's tables hold it.
std::uint32_t ip(const std::string& text);
std::string text_of(std::uint32_t address);

enum Flags : std::uint8_t { kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10 };

// RFC 1071 over `length` bytes; a correct header gives 0.
std::uint16_t internet_checksum(const std::uint8_t* bytes, std::size_t length, std::uint32_t seed = 0);

// A well-formed frame from a client to the director, unless told otherwise. bytes() fills in every length and checksum.
class Packet {
 public:
  Packet& from(const std::string& address, std::uint16_t port);
  Packet& to(const std::string& address, std::uint16_t port);
  Packet& from_address(std::uint32_t address, std::uint16_t port);
  Packet& to_address(std::uint32_t address, std::uint16_t port);
  Packet& tcp(int flags);
  Packet& udp();
  Packet& without_udp_checksum();
  Packet& icmp(std::uint8_t type, std::uint8_t code, const Bytes& quoted, std::uint16_t mtu = 0);
  Packet& protocol(std::uint8_t number);  // with the header of whatever tcp(), udp() or icmp() said
  Packet& payload(std::size_t size, std::uint8_t seed = 1);
  Packet& data(const Bytes& payload);
  Packet& padding(std::size_t size);  // behind the IP packet
  Packet& ttl(std::uint8_t ttl);
  Packet& dont_fragment();
  Packet& fragment(std::uint16_t offset_units, bool more);
  Packet& ip_options(std::size_t bytes);  // a multiple of 4
  Packet& to_mac(const Mac& mac);
  Packet& vlan(std::uint16_t tag);
  Packet& ethertype(std::uint16_t type);
  // Overwrites bytes of the finished frame; the IP header's checksum is made right again unless spoiled.
  Packet& byte(std::size_t offset, std::uint8_t value);
  Packet& spoil_ip_checksum();
  Packet& cut(std::size_t length);  // the frame's last word: truncated to this length

  [[nodiscard]] Bytes bytes() const;

 private:
  [[nodiscard]] Bytes transport() const;

  Mac source_mac_;
  Mac destination_mac_;
  std::uint32_t source_;
  std::uint32_t destination_;
  std::uint16_t source_port_ = 40000;
  std::uint16_t destination_port_ = 80;
  std::uint8_t ttl_ = 64;
  std::uint8_t tcp_flags_ = kSyn;
  std::uint8_t number_ = 6;
  bool is_udp_ = false;
  Bytes icmp_;  // header, without its checksum, and quote; empty: no ICMP
  bool udp_checksum_ = true;
  bool spoiled_ = false;
  std::uint16_t fragment_ = 0;
  std::uint16_t ethertype_ = 0x0800;
  int vlan_ = -1;
  std::size_t options_ = 0;
  std::size_t padding_ = 0;
  std::size_t cut_ = SIZE_MAX;
  Bytes payload_;
  std::vector<std::pair<std::size_t, std::uint8_t>> patches_;

 public:
  Packet();
};

inline Packet packet() { return {}; }

// Reads an IPv4 frame without options. Addresses in network order, ports in host order.
class View {
 public:
  explicit View(const Bytes& frame) : frame_(frame) {}

  [[nodiscard]] Mac destination_mac() const { return mac(0); }
  [[nodiscard]] Mac source_mac() const { return mac(6); }
  [[nodiscard]] std::uint16_t total_length() const { return word(kEthernet + 2); }
  [[nodiscard]] std::uint8_t ttl() const { return frame_.at(kEthernet + 8); }
  [[nodiscard]] std::uint8_t protocol() const { return frame_.at(kEthernet + 9); }
  [[nodiscard]] std::string source() const { return text_of(address(kEthernet + 12)); }
  [[nodiscard]] std::string destination() const { return text_of(address(kEthernet + 16)); }
  [[nodiscard]] std::uint16_t source_port() const { return word(kL4); }
  [[nodiscard]] std::uint16_t destination_port() const { return word(kL4 + 2); }
  [[nodiscard]] std::uint16_t udp_checksum() const { return word(kL4 + 6); }
  [[nodiscard]] bool ip_checksum_is_right() const;
  // TCP, UDP (0 counts as right) or ICMP, over the IP packet's length.
  [[nodiscard]] bool l4_checksum_is_right() const;
  [[nodiscard]] std::uint16_t word(std::size_t offset) const {
    return static_cast<std::uint16_t>(frame_.at(offset) << 8 | frame_.at(offset + 1));
  }

 private:
  [[nodiscard]] Mac mac(std::size_t offset) const;
  [[nodiscard]] std::uint32_t address(std::size_t offset) const;

  const Bytes& frame_;
};

}  // namespace limpet::packet
