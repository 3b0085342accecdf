// SPDX-License-Identifier: Apache-2.0
// Netlink messages and attributes as bytes, read as leniently and as strictly as the kernel reads those of the IPVS
// family (lib/nlattr.c, "deprecated" parsing): longer is taken, shorter refused, what is unknown is skipped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpet::ipvs_netlink {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

enum class Shape : std::uint8_t {
  any,
  at_least,  // as many bytes as given, or more
  at_most,   // NLA_BINARY: as many as given, or fewer
  text,      // NLA_NUL_STRING: ended by a 0, as many characters as given, or fewer
  nested     // empty, or room for an attribute
};

struct Rule {
  std::uint16_t type = 0;
  Shape shape = Shape::any;
  std::uint16_t length = 0;
};

// The attributes of one level, by type; of one that comes twice the last counts.
class Attributes {
 public:
  static constexpr std::size_t kMost = 16;

  // 0, or the errno with which the kernel refuses: ERANGE for a wrong length, EINVAL for a text without an end. Types
  // without a rule are skipped. `bytes` must outlive the attributes. Precondition: types are below kMost.
  int read(ByteView bytes, std::span<const Rule> rules);

  bool has(std::uint16_t type) const { return values_[type].has_value(); }
  bool have(std::initializer_list<std::uint16_t> types) const;
  // Precondition of all below: has(type), and its rule asks for as many bytes.
  ByteView bytes(std::uint16_t type) const { return *values_[type]; }
  std::uint8_t u8(std::uint16_t type) const { return bytes(type)[0]; }
  std::uint16_t u16(std::uint16_t type) const;
  std::uint16_t network_u16(std::uint16_t type) const;  // as it comes to host order
  std::uint32_t u32(std::uint16_t type) const;
  std::string_view text(std::uint16_t type) const;

 private:
  std::array<std::optional<ByteView>, kMost> values_{};
};

// One message of a datagram.
struct Message {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t port = 0;
  ByteView whole;    // with its header
  ByteView payload;  // without
};
// Takes the next message off `datagram`; nullopt: what is left is none, which the kernel drops without a word
// (netlink_rcv_skb()).
std::optional<Message> next_message(ByteView& datagram);

// Puts messages together, one behind the other.
class Writer {
 public:
  // The marks of begin_message() and begin_nested(); to be ended in reverse order.
  using Mark = std::size_t;

  Mark begin_message(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, std::uint32_t port);
  // With the header of generic netlink behind it.
  Mark begin_generic(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, std::uint32_t port,
                     std::uint8_t command, std::uint8_t version);
  void end_message(Mark mark);
  Mark begin_nested(std::uint16_t type);
  void end_nested(Mark mark);

  void put(std::uint16_t type, ByteView value);
  void put_u8(std::uint16_t type, std::uint8_t value) { put_value(type, value); }
  void put_u16(std::uint16_t type, std::uint16_t value) { put_value(type, value); }
  void put_network_u16(std::uint16_t type, std::uint16_t host_order);
  void put_u32(std::uint16_t type, std::uint32_t value) { put_value(type, value); }
  void put_u64(std::uint16_t type, std::uint64_t value) { put_value(type, value); }
  void put_text(std::uint16_t type, std::string_view text);
  void append(ByteView bytes);  // as it is, then to the next boundary of 4

  std::size_t size() const { return bytes_.size(); }
  // Takes off what has been written since.
  Bytes cut(Mark mark);
  void reserve(std::size_t size) { bytes_.reserve(size); }
  Bytes take() { return std::exchange(bytes_, {}); }

 private:
  template <class T>
  void put_value(std::uint16_t type, const T& value) {
    put(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }

  std::uint8_t* grow(std::size_t length);

  Bytes bytes_;
};

}  // namespace limpet::ipvs_netlink
