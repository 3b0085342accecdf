// SPDX-License-Identifier: Apache-2.0
// The snapshot's format: what was written is read, what is damaged costs its block and nothing else.
#include "director/template_codec.h"

#include <random>

#include <boost/crc.hpp>

#include <gmock/gmock.h>

#include "unit/director/template_records.h"

namespace limpet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Blocks of two templates each, and the last one.
struct Written {
  std::vector<TemplateRecord> records;
  std::vector<std::string> blocks;

  std::string bytes() const {
    std::string all;
    for (const std::string& block : blocks) all += block;
    return all;
  }
};

Written write_blocks(std::size_t count) {
  Written out{records(2 * count), {}};
  TemplateEncoder encoder;
  for (std::size_t i = 0; i < count; ++i)
    out.blocks.push_back(encoder.encode(std::span(out.records).subspan(2 * i, 2), kNoon));
  out.blocks.push_back(encoder.end(kNoon));
  return out;
}

std::string write_one(const TemplateRecord& one, std::chrono::system_clock::time_point now = kNoon) {
  TemplateEncoder encoder;
  const std::string block = encoder.encode(std::span(&one, 1), now);
  return block + encoder.end(now);
}

TEST(TemplateCodec, every_property_of_a_template_is_kept) {
  auto mark = record("10.1.0.0", "fwm/4294967295", "10.0.0.1:0");
  mark.origin.netmask = 0x0000ffff;
  mark.assured = true;
  auto any_port = record("10.1.0.1", "udp/192.0.2.1:0", "10.0.0.1:0", 1ms);
  any_port.extended = true;
  auto longest = record("10.1.0.2");
  longest.origin.timeout = kMaxTimeoutSeconds;
  longest.left = std::chrono::seconds(kMaxTimeoutSeconds);
  auto ipv6 = record("2001:db8::7", "tcp/[2001:db8::1]:443", "[2001:db8::2]:8443");
  ipv6.origin.netmask = 64;
  auto mixed = record("10.1.0.3", "tcp/192.0.2.1:80", "[2001:db8::2]:80");
  const std::vector<TemplateRecord> all{mark, any_port, longest, ipv6, mixed};
  TemplateEncoder encoder;
  std::string bytes = encoder.encode(all, kNoon);
  bytes += encoder.end(kNoon);
  const Reading reading = read_snapshot(bytes);
  EXPECT_EQ(reading.records, all);
  EXPECT_FALSE(reading.damage.any()) << reading.damage.to_string();
}

TEST(TemplateCodec, it_is_read_in_pieces_of_any_size) {
  const Written written = write_blocks(3);
  for (const std::size_t piece : {1U, 7U, 19U, 20U, 21U, 100U}) {
    const Reading reading = read_snapshot(written.bytes(), kNoon, piece);
    EXPECT_EQ(reading.records, written.records) << piece;
    EXPECT_FALSE(reading.damage.any()) << piece;
  }
}

TEST(TemplateCodec, a_million_templates_take_about_eleven_bytes_each) {
  const auto all = records(10000);
  TemplateEncoder encoder;
  std::string bytes = encoder.encode(all, kNoon);
  bytes += encoder.end(kNoon);
  EXPECT_LT(bytes.size(), all.size() * 12);
  EXPECT_EQ(read_snapshot(bytes).records, all) << "in several blocks";
}

TEST(TemplateCodec, no_template_at_all_is_no_damage) {
  const Reading reading = read_snapshot(TemplateEncoder().end(kNoon));
  EXPECT_TRUE(reading.records.empty());
  EXPECT_FALSE(reading.damage.any());
}

TEST(TemplateCodec, the_time_since_it_was_written_has_passed_for_templates) {
  const auto left = [](std::chrono::system_clock::duration later) {
    return read_snapshot(write_one(record("10.1.0.1", "fwm/1", "10.0.0.1:0", 100s)), kNoon + later).records.at(0).left;
  };
  EXPECT_EQ(left(0s), 100s);
  EXPECT_EQ(left(30s), 70s);
  EXPECT_EQ(left(100s), 0s);
  EXPECT_EQ(left(24h * 365 * 20), 0s);
}

TEST(TemplateCodec, a_clock_that_went_backwards_prolongs_no_template_beyond_its_timeout) {
  const auto left = [](TemplateRecord one) {
    return read_snapshot(write_one(one), kNoon - 24h * 365).records.at(0).left;
  };
  auto one = record("10.1.0.1", "fwm/1", "10.0.0.1:0", 100s);
  EXPECT_EQ(left(one), 100s);
  one.left = 1000s;  // more than its timeout: nobody writes this
  EXPECT_EQ(left(one), 300s);
  one.origin.timeout = 10;
  one.left = 55s;
  one.extended = true;
  EXPECT_EQ(left(one), 55s) << "it controlled connections beyond its timeout: up to 60 s";
  one.left = 70s;
  EXPECT_EQ(left(one), 60s);
}

TEST(TemplateCodec, a_clock_before_1970_is_1970) {
  const std::chrono::system_clock::time_point before{-100s};
  EXPECT_EQ(read_snapshot(write_one(record("10.1.0.1"), before), before).records.at(0).left, 100s);
}

// The blocks that are whole give their templates as they were; a wrong one is never given.
void expect_only_losses(const Reading& reading, const std::vector<TemplateRecord>& whole, std::size_t most_lost) {
  ASSERT_LE(reading.records.size(), whole.size());
  ASSERT_GE(reading.records.size() + most_lost, whole.size());
  std::size_t at = 0;
  for (const TemplateRecord& one : reading.records) {
    while (at < whole.size() && whole[at] != one) ++at;
    ASSERT_LT(at++, whole.size()) << "a template that was never written";
  }
}

TEST(TemplateCodec, a_damaged_byte_anywhere_costs_its_block_only_and_is_told) {
  const Written written = write_blocks(4);
  const std::string whole = written.bytes();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ flip);
      const Reading reading = read_snapshot(damaged);
      ASSERT_NO_FATAL_FAILURE(expect_only_losses(reading, written.records, 2)) << at;
      ASSERT_TRUE(reading.damage.any()) << at;
      ASSERT_NE(reading.damage.bytes, 0U) << at;
    }
  }
}

TEST(TemplateCodec, a_snapshot_cut_off_anywhere_gives_its_whole_blocks) {
  const Written written = write_blocks(4);
  const std::string whole = written.bytes();
  std::size_t blocks = 0;
  std::size_t end_of_block = written.blocks[0].size();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    if (length == end_of_block) end_of_block += written.blocks[++blocks].size();
    const Reading reading = read_snapshot(whole.substr(0, length));
    ASSERT_EQ(reading.records.size(), 2 * blocks) << length;
    ASSERT_NO_FATAL_FAILURE(expect_only_losses(reading, written.records, 8)) << length;
    ASSERT_TRUE(reading.damage.cut_short) << length;
  }
}

TEST(TemplateCodec, a_piece_that_is_missing_anywhere_costs_what_stood_there) {
  const Written written = write_blocks(4);
  const std::string whole = written.bytes();
  std::mt19937 random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::size_t from = random() % whole.size();
    const std::size_t length = 1 + random() % 200;
    std::string damaged = whole;
    if (i % 2 == 0)
      damaged.erase(from, length);
    else
      damaged.insert(from, std::string(length, static_cast<char>(random())));
    const Reading reading = read_snapshot(damaged);
    ASSERT_NO_FATAL_FAILURE(expect_only_losses(reading, written.records, 8)) << from << " " << length;
    ASSERT_TRUE(reading.damage.any()) << from << " " << length;
  }
}

TEST(TemplateCodec, a_file_of_anything_at_all_is_survived) {
  std::mt19937 random(2);
  std::string noise;
  for (int i = 0; i < 200000; ++i) noise.push_back(static_cast<char>(random()));
  std::string beginnings;
  for (int i = 0; i < 20000; ++i) beginnings += "LMPTTMPL";
  for (const std::string& bytes : {std::string(), std::string("L"), std::string(100000, '\0'), noise, beginnings}) {
    const Reading reading = read_snapshot(bytes);
    EXPECT_TRUE(reading.records.empty());
    EXPECT_TRUE(reading.damage.any());
    EXPECT_EQ(reading.damage.bytes, bytes.size());
  }
}

// The checksum is right, and yet it is not one of ours.
TEST(TemplateCodec, a_block_of_sound_checksum_may_say_anything_at_all) {
  std::mt19937 random(3);
  for (int i = 0; i < 4000; ++i) {
    std::string bytes = write_blocks(2).blocks[0];
    for (unsigned changes = 1 + random() % 8; changes > 0; --changes)
      bytes[20 + random() % (bytes.size() - 20)] = static_cast<char>(random());
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data(), 16);
    crc.process_bytes(bytes.data() + 20, bytes.size() - 20);
    const std::uint32_t sum = crc.checksum();
    for (std::size_t byte = 0; byte < 4; ++byte) bytes[16 + byte] = static_cast<char>(sum >> (8 * byte));
    const Reading reading = read_snapshot(bytes);
    ASSERT_LE(reading.records.size(), 2U);
    for (const TemplateRecord& one : reading.records) ASSERT_GE(one.left.count(), 0);
  }
}

TEST(TemplateCodec, the_report_names_what_is_lost) {
  Written written = write_blocks(4);
  written.blocks[1][30] ^= 1;
  const Reading middle = read_snapshot(written.bytes());
  EXPECT_EQ(middle.damage.templates_lost, 2U);
  EXPECT_THAT(middle.damage.to_string(), HasSubstr(std::to_string(written.blocks[1].size()) + " bytes are damaged"));
  EXPECT_THAT(middle.damage.to_string(), HasSubstr("at least 2 templates are lost"));
  written = write_blocks(4);
  written.blocks.pop_back();
  EXPECT_EQ(read_snapshot(written.bytes()).damage.to_string(), "its end is missing");
}

}  // namespace
}  // namespace limpet
