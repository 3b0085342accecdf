// SPDX-License-Identifier: Apache-2.0
// Building a netlink request and reading the answers, on libnl; included by this room's sources only.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "model/address.h"

namespace limpet::network {

// A request under construction; running out of memory is the only thing that can go wrong.
class Message {
 public:
  template <class Header>
  Message(int type, int flags, Header header) : message_(nlmsg_alloc_simple(type, NLM_F_REQUEST | flags)) {
    if (!message_ || nlmsg_append(message_.get(), &header, sizeof header, NLMSG_ALIGNTO) != 0) throw std::bad_alloc();
  }

  Message& put(int attribute, std::uint8_t value) { return put_raw(attribute, &value, sizeof value); }
  Message& put(int attribute, std::uint32_t value) { return put_raw(attribute, &value, sizeof value); }
  Message& put(int attribute, const std::string& text) { return put_raw(attribute, text.c_str(), text.size() + 1); }
  Message& put(int attribute, const Address& address) {
    return put_raw(attribute, address.bytes().data(), address.family() == Family::ipv4 ? 4 : 16);
  }
  Message& put_raw(int attribute, const void* data, std::size_t size) {
    if (nla_put(message_.get(), attribute, static_cast<int>(size), data) != 0) throw std::bad_alloc();
    return *this;
  }

  // `fill` puts the attributes that stand inside.
  template <class Fill>
  Message& nest(int attribute, Fill fill) {
    nlattr* start = nla_nest_start(message_.get(), attribute);
    if (start == nullptr) throw std::bad_alloc();
    fill(*this);
    nla_nest_end(message_.get(), start);
    return *this;
  }

  template <class Header>
  Message& append(Header header) {
    if (nlmsg_append(message_.get(), &header, sizeof header, NLMSG_ALIGNTO) != 0) throw std::bad_alloc();
    return *this;
  }

  nl_msg* get() { return message_.get(); }

 private:
  struct Free {
    void operator()(nl_msg* message) const { nlmsg_free(message); }
  };
  std::unique_ptr<nl_msg, Free> message_;
};

// The messages that answered one request, in order; the pointers live as long as this does.
class Replies {
 public:
  void keep(unsigned char* buffer) { buffers_.emplace_back(buffer); }
  void add(nlmsghdr* message) { messages_.push_back(message); }
  // The kernel's table changed while it was being read: what is here is not one moment's state.
  void mark_interrupted() { interrupted_ = true; }
  bool interrupted() const { return interrupted_; }
  auto begin() const { return messages_.begin(); }
  auto end() const { return messages_.end(); }
  bool empty() const { return messages_.empty(); }

 private:
  struct Free {
    void operator()(unsigned char* buffer) const { std::free(buffer); }
  };
  std::vector<std::unique_ptr<unsigned char, Free>> buffers_;  // as nl_recv() allocated them
  std::vector<nlmsghdr*> messages_;
  bool interrupted_ = false;
};

// The attributes behind a message's family header, or inside another attribute. Lengths are checked at each use: an
// attribute of another size counts as absent.
class Attributes {
 public:
  static constexpr int kHighest = 127;

  Attributes(nlmsghdr* message, std::size_t header_size) {
    if (nlmsg_parse(message, static_cast<int>(header_size), table_.data(), kHighest, nullptr) < 0) table_ = {};
  }
  explicit Attributes(nlattr* outer) {
    if (outer == nullptr || nla_parse_nested(table_.data(), kHighest, outer, nullptr) < 0) table_ = {};
  }

  nlattr* raw(int type) const { return table_[static_cast<std::size_t>(type)]; }
  bool has(int type) const { return raw(type) != nullptr; }

  template <class Value>
  std::optional<Value> value(int type) const {
    const nlattr* attribute = raw(type);
    if (attribute == nullptr || nla_len(attribute) != static_cast<int>(sizeof(Value))) return std::nullopt;
    Value result{};
    nla_memcpy(&result, attribute, sizeof result);
    return result;
  }

  std::string text(int type) const {
    const nlattr* attribute = raw(type);
    if (attribute == nullptr || nla_len(attribute) <= 0) return {};
    const char* start = static_cast<const char*>(nla_data(attribute));
    const std::string whole(start, static_cast<std::size_t>(nla_len(attribute)));
    return whole.substr(0, whole.find('\0'));
  }

  std::optional<Address> address(int type) const {
    if (const auto four = value<std::uint32_t>(type)) return Address::ipv4(*four);
    if (const auto sixteen = value<std::array<std::uint8_t, 16>>(type)) return Address::ipv6(*sixteen);
    return std::nullopt;
  }

 private:
  std::array<nlattr*, kHighest + 1> table_{};
};

// The family header of a message, or nothing when the message is shorter than that.
template <class Header>
const Header* header_of(nlmsghdr* message) {
  if (!nlmsg_valid_hdr(message, sizeof(Header))) return nullptr;
  return static_cast<const Header*>(nlmsg_data(message));
}

}  // namespace limpet::network
