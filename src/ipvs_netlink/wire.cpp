// SPDX-License-Identifier: Apache-2.0
// Reading and writing of lengths, types and paddings.
#include "ipvs_netlink/wire.h"

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace limpet::ipvs_netlink {
namespace {

constexpr std::size_t aligned(std::size_t length) { return (length + 3) & ~std::size_t{3}; }

template <class T>
T read_as(ByteView bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// validate_nla(): of a text that does not fill its attribute, what follows the 0 counts for its length.
int check(ByteView value, const Rule& rule) {
  switch (rule.shape) {
    case Shape::any:
      return 0;
    case Shape::at_least:
      return value.size() < rule.length ? ERANGE : 0;
    case Shape::at_most:
      return value.size() > rule.length ? ERANGE : 0;
    case Shape::nested:
      return !value.empty() && value.size() < sizeof(nlattr) ? ERANGE : 0;
    case Shape::text:
      break;
  }
  if (value.empty()) return EINVAL;
  const auto looked_at = value.first(std::min<std::size_t>(value.size(), std::size_t{rule.length} + 1));
  if (std::find(looked_at.begin(), looked_at.end(), 0) == looked_at.end()) return EINVAL;
  return value.size() - (value.back() == 0 ? 1 : 0) > rule.length ? ERANGE : 0;
}

}  // namespace

int Attributes::read(ByteView bytes, std::span<const Rule> rules) {
  while (bytes.size() >= sizeof(nlattr)) {
    const auto header = read_as<nlattr>(bytes);
    if (header.nla_len < sizeof(nlattr) || header.nla_len > bytes.size()) break;  // what is left over is not looked at
    const auto value = bytes.subspan(sizeof(nlattr), header.nla_len - sizeof(nlattr));
    const auto type = static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK);
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const Rule& each) { return each.type == type; });
    if (rule != rules.end()) {
      if (const int error = check(value, *rule); error != 0) return error;
      values_[type] = value;
    }
    bytes = bytes.subspan(std::min(aligned(header.nla_len), bytes.size()));
  }
  return 0;
}

bool Attributes::have(std::initializer_list<std::uint16_t> types) const {
  return std::all_of(types.begin(), types.end(), [&](std::uint16_t type) { return has(type); });
}

std::uint16_t Attributes::u16(std::uint16_t type) const { return read_as<std::uint16_t>(bytes(type)); }
std::uint16_t Attributes::network_u16(std::uint16_t type) const { return ntohs(u16(type)); }
std::uint32_t Attributes::u32(std::uint16_t type) const { return read_as<std::uint32_t>(bytes(type)); }

std::string_view Attributes::text(std::uint16_t type) const {
  const auto value = bytes(type);
  const auto* begin = reinterpret_cast<const char*>(value.data());
  return {begin, ::strnlen(begin, value.size())};
}

std::optional<Message> next_message(ByteView& datagram) {
  if (datagram.size() < sizeof(nlmsghdr)) return std::nullopt;
  const auto header = read_as<nlmsghdr>(datagram);
  if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > datagram.size()) return std::nullopt;
  Message message{
      header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq, header.nlmsg_pid, datagram.first(header.nlmsg_len), {}};
  message.payload = message.whole.subspan(sizeof(nlmsghdr));
  datagram = datagram.subspan(std::min(aligned(header.nlmsg_len), datagram.size()));
  return message;
}

Writer::Mark Writer::begin_message(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence,
                                   std::uint32_t port) {
  const Mark mark = bytes_.size();
  const nlmsghdr header{0, type, flags, sequence, port};
  append({reinterpret_cast<const std::uint8_t*>(&header), sizeof header});
  return mark;
}

Writer::Mark Writer::begin_generic(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, std::uint32_t port,
                                   std::uint8_t command, std::uint8_t version) {
  const Mark mark = begin_message(type, flags, sequence, port);
  const genlmsghdr header{command, version, 0};
  append({reinterpret_cast<const std::uint8_t*>(&header), sizeof header});
  return mark;
}

void Writer::end_message(Mark mark) {
  const auto length = static_cast<std::uint32_t>(bytes_.size() - mark);
  std::memcpy(bytes_.data() + mark, &length, sizeof length);
}

Writer::Mark Writer::begin_nested(std::uint16_t type) {
  const Mark mark = bytes_.size();
  put(type, {});
  return mark;
}

void Writer::end_nested(Mark mark) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - mark);
  std::memcpy(bytes_.data() + mark, &length, sizeof length);
}

void Writer::put(std::uint16_t type, ByteView value) {
  const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
  std::uint8_t* to = grow(sizeof header + aligned(value.size()));
  std::memcpy(to, &header, sizeof header);
  if (!value.empty()) std::memcpy(to + sizeof header, value.data(), value.size());
}

void Writer::put_network_u16(std::uint16_t type, std::uint16_t host_order) { put_u16(type, htons(host_order)); }

void Writer::put_text(std::uint16_t type, std::string_view text) {
  std::string ended(text);
  put(type, {reinterpret_cast<const std::uint8_t*>(ended.c_str()), ended.size() + 1});
}

void Writer::append(ByteView bytes) {
  std::uint8_t* to = grow(aligned(bytes.size()));
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
}

Bytes Writer::cut(Mark mark) {
  const auto from = bytes_.begin() + static_cast<std::ptrdiff_t>(mark);
  Bytes behind(from, bytes_.end());
  bytes_.erase(from, bytes_.end());
  return behind;
}

// Room at the end, filled with zeroes. What is written is a multiple of 4 long, so that all of it begins at one.
std::uint8_t* Writer::grow(std::size_t length) {
  const std::size_t before = bytes_.size();
  bytes_.resize(before + length);
  return bytes_.data() + before;
}

}  // namespace limpet::ipvs_netlink
