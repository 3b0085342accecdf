// SPDX-License-Identifier: Apache-2.0
// Persistence templates as bytes.
#include "director/template_codec.h"

#include <boost/crc.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <type_traits>
#include <vector>

namespace limpet {
namespace {

constexpr std::string_view kMagic = "LMPTTMPL";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeader = 20;                      // magic, version, length, CRC
constexpr std::size_t kMostRest = std::size_t{1} << 20;  // no block is longer; what claims so is damaged
constexpr std::uint8_t kAssured = 1;
constexpr std::uint8_t kExtended = 2;
constexpr std::chrono::milliseconds kExtension{60000};  // of a template that outlived its time (bpf/abi.h)

template <class T>
void put(std::string& out, T value) {
  const auto bits = static_cast<std::make_unsigned_t<T>>(value);
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>((bits >> (8 * i)) & 0xffU));
}

std::size_t size_of(Family family) { return family == Family::ipv4 ? 4 : 16; }

void put(std::string& out, const Address& address, std::size_t size) {
  out.append(reinterpret_cast<const char*>(address.bytes().data()), size);
}

void put(std::string& out, const TemplateOrigin& origin) {
  put(out, static_cast<std::uint8_t>(origin.service.family));
  put(out, static_cast<std::uint8_t>(origin.service.protocol));
  put(out, origin.service.port.value);
  put(out, origin.service.mark.value);
  put(out, origin.service.address, 16);
  put(out, static_cast<std::uint8_t>(origin.server.address.family()));
  put(out, std::uint8_t{0});
  put(out, origin.server.port.value);
  put(out, origin.server.address, 16);
  put(out, origin.timeout);
  put(out, origin.netmask);
}

// Reads forward; beyond the end everything is 0 and bad() says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T get() {
    std::uint64_t value = 0;
    const std::string_view raw = take(sizeof(T));
    for (std::size_t i = 0; i < raw.size(); ++i)
      value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(raw[i])) << (8 * i);
    return static_cast<T>(value);
  }
  // Of a field that has room for `room` bytes.
  Address address(Family family, std::size_t room) {
    std::array<std::uint8_t, 16> bytes{};
    const std::string_view raw = take(room);
    std::copy_n(raw.begin(), std::min(raw.size(), size_of(family)), bytes.begin());
    if (family == Family::ipv6) return Address::ipv6(bytes);
    std::uint32_t first = 0;
    std::copy_n(bytes.begin(), sizeof(first), reinterpret_cast<std::uint8_t*>(&first));
    return Address::ipv4(first);
  }
  Family family() {
    const auto value = get<std::uint8_t>();
    if (value != static_cast<std::uint8_t>(Family::ipv4) && value != static_cast<std::uint8_t>(Family::ipv6))
      bad_ = true;
    return static_cast<Family>(value);
  }
  std::size_t left() const { return bytes_.size(); }
  bool bad() const { return bad_; }

 private:
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) {
      bad_ = true;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  bool bad_ = false;
};

TemplateOrigin get_origin(Reader& in) {
  TemplateOrigin origin;
  origin.service.family = in.family();
  origin.service.protocol = static_cast<Protocol>(in.get<std::uint8_t>());
  origin.service.port.value = in.get<std::uint16_t>();
  origin.service.mark.value = in.get<std::uint32_t>();
  origin.service.address = in.address(origin.service.family, 16);
  const Family family = in.family();
  (void)in.get<std::uint8_t>();
  origin.server.port.value = in.get<std::uint16_t>();
  origin.server.address = in.address(family, 16);
  origin.timeout = in.get<std::uint32_t>();
  origin.netmask = in.get<std::uint32_t>();
  return origin;
}

TemplateRecord get_template(Reader& in, const std::vector<TemplateOrigin>& origins, bool& bad) {
  TemplateRecord record;
  const auto index = in.get<std::uint16_t>();
  if (index >= origins.size()) {
    bad = true;
    return record;
  }
  record.origin = origins[index];
  const auto flags = in.get<std::uint8_t>();
  record.assured = (flags & kAssured) != 0;
  record.extended = (flags & kExtended) != 0;
  record.left = std::chrono::milliseconds(in.get<std::uint32_t>());
  record.client = in.address(record.origin.service.family, size_of(record.origin.service.family));
  return record;
}

std::uint64_t since_1970(std::chrono::system_clock::time_point now) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  return since < 0 ? 0 : static_cast<std::uint64_t>(since);
}

std::uint32_t crc_of(std::string_view head, std::string_view rest) {
  boost::crc_32_type crc;
  crc.process_bytes(head.data(), head.size());
  crc.process_bytes(rest.data(), rest.size());
  return crc.checksum();
}

std::string sealed(const std::string& rest) {
  std::string out(kMagic);
  put(out, kVersion);
  put(out, static_cast<std::uint32_t>(rest.size()));
  put(out, crc_of(out, rest));
  return out + rest;
}

}  // namespace

std::string SnapshotDamage::to_string() const {
  std::string text;
  const auto say = [&text](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  if (other_version != 0)
    say("it has format " + std::to_string(other_version) + " and this limpetd reads " + std::to_string(kVersion));
  if (bytes != 0) say(std::to_string(bytes) + " bytes are damaged");
  if (templates_lost != 0) say("at least " + std::to_string(templates_lost) + " templates are lost");
  if (cut_short) say("its end is missing");
  return text;
}

std::string TemplateEncoder::encode(std::span<const TemplateRecord> records,
                                    std::chrono::system_clock::time_point now) {
  std::string out;
  for (std::size_t from = 0; from < records.size(); from += kBlock) {
    const auto piece = records.subspan(from, std::min(kBlock, records.size() - from));
    out += block(piece, now);
    written_ += piece.size();
  }
  return out;
}

std::string TemplateEncoder::end(std::chrono::system_clock::time_point now) { return block({}, now); }

std::string TemplateEncoder::block(std::span<const TemplateRecord> records,
                                   std::chrono::system_clock::time_point now) const {
  std::map<TemplateOrigin, std::uint16_t> indices;
  std::string origins;
  std::string templates;
  const TemplateOrigin* last = nullptr;  // often the same again, and then the map is not asked
  std::uint16_t index = 0;
  for (const TemplateRecord& record : records) {
    if (last == nullptr || *last != record.origin) {
      const auto [found, fresh] = indices.try_emplace(record.origin, static_cast<std::uint16_t>(indices.size()));
      if (fresh) put(origins, record.origin);
      index = found->second;
      last = &record.origin;
    }
    put(templates, index);
    put(templates, static_cast<std::uint8_t>((record.assured ? kAssured : 0) | (record.extended ? kExtended : 0)));
    put(templates, static_cast<std::uint32_t>(std::clamp<std::int64_t>(record.left.count(), 0, UINT32_MAX)));
    put(templates, record.client, size_of(record.origin.service.family));
  }
  std::string rest;
  rest.reserve(24 + origins.size() + templates.size());
  put(rest, since_1970(now));
  put(rest, written_);
  put(rest, static_cast<std::uint32_t>(indices.size()));
  put(rest, static_cast<std::uint32_t>(records.size()));
  return sealed(rest + origins + templates);
}

void TemplateDecoder::feed(std::string_view bytes) {
  pending_ += bytes;
  std::size_t at = 0;
  for (;;) {
    const std::string_view ahead = std::string_view(pending_).substr(at);
    std::size_t length = 0;
    if (take_block(ahead, length)) {
      at += length;
    } else if (length == 0) {
      break;  // not all of it is here yet
    } else {
      at += length;
      damage_.bytes += length;
    }
  }
  pending_.erase(0, at);
}

// True: a whole block of `length` bytes. Else so many bytes are none; 0: that depends on what follows.
bool TemplateDecoder::take_block(std::string_view bytes, std::size_t& length) {
  length = 0;
  if (bytes.size() < kHeader) return false;
  // To the next place where one may begin: after the first byte, which is none.
  const auto skip = [&] {
    const std::size_t next = bytes.find(kMagic, 1);
    length = next != std::string_view::npos ? next : bytes.size() - (kMagic.size() - 1);
    return false;
  };
  if (!bytes.starts_with(kMagic)) return skip();
  Reader header(bytes.substr(kMagic.size(), kHeader - kMagic.size()));
  const auto version = header.get<std::uint32_t>();
  const auto rest_length = header.get<std::uint32_t>();
  const auto crc = header.get<std::uint32_t>();
  if (rest_length > kMostRest) return skip();
  if (bytes.size() < kHeader + rest_length) return false;
  const std::string_view rest = bytes.substr(kHeader, rest_length);
  if (crc_of(bytes.substr(0, kHeader - sizeof(crc)), rest) != crc) return skip();
  length = kHeader + rest_length;
  if (version == kVersion)
    read_block(rest);
  else
    damage_.other_version = version;
  return true;
}

void TemplateDecoder::read_block(std::string_view rest) {
  Reader in(rest);
  const std::chrono::milliseconds written(std::max<std::int64_t>(in.get<std::int64_t>(), 0));
  announced_ = std::max(announced_, in.get<std::uint64_t>());
  const auto origin_count = in.get<std::uint32_t>();
  const auto template_count = in.get<std::uint32_t>();
  if (template_count == 0) ended_ = true;
  std::vector<TemplateOrigin> origins;
  for (std::uint32_t i = 0; i < origin_count && !in.bad(); ++i) origins.push_back(get_origin(in));
  // A clock that went backwards: no time has passed, as far as anybody knows.
  const auto passed = std::max(std::chrono::milliseconds(static_cast<std::int64_t>(since_1970(now_))) - written,
                               std::chrono::milliseconds(0));
  std::vector<TemplateRecord> records;
  bool bad = false;
  for (std::uint32_t i = 0; i < template_count && !in.bad() && !bad; ++i) {
    TemplateRecord record = get_template(in, origins, bad);
    const std::chrono::milliseconds most = record.extended ? kExtension : std::chrono::seconds(record.origin.timeout);
    record.left = std::max(std::min(record.left, most) - passed, std::chrono::milliseconds(0));
    records.push_back(record);
  }
  if (in.bad() || bad || in.left() != 0) {  // its checksum is right all the same: not one of ours
    damage_.bytes += rest.size();
    return;
  }
  seen_ += records.size();
  if (!records.empty()) visit_(records);
}

SnapshotDamage TemplateDecoder::finish() {
  // What was waiting for more is no block; others may stand within it.
  while (!pending_.empty()) {
    const std::size_t next = pending_.find(kMagic, 1);
    const std::size_t length = std::min(next, pending_.size());
    damage_.bytes += length;
    pending_.erase(0, length);
    feed({});
  }
  damage_.cut_short = !ended_ && damage_.other_version == 0;
  if (announced_ > seen_) damage_.templates_lost = announced_ - seen_;
  return damage_;
}

}  // namespace limpet
