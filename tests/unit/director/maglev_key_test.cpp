// SPDX-License-Identifier: Apache-2.0
// The secret of maglev: read, made and kept.
#include "director/maglev_key.h"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "unit/director/temporary_directory.h"

namespace limpet {
namespace {

using dataplane::HashKey;
using testing::HasSubstr;

constexpr const char* kText = "000102030405060708090a0b0c0d0e0f\n";
constexpr HashKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

class MaglevKey : public testing::Test {
 protected:
  std::filesystem::path file() const { return directory_.path() / "maglev-key"; }
  HashKey keep(const std::optional<HashKey>& in_use = std::nullopt) {
    return keep_maglev_key(directory_.path(), in_use);
  }
  void expect_no_key(const std::string& text) {
    write_file(file(), text);
    const auto key = read_maglev_key(file());
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().text,
              file().string() + " holds no key of maglev: 32 hexadecimal digits, as `openssl rand -hex 16` makes");
  }
  TemporaryDirectory directory_;
};

TEST_F(MaglevKey, is_32_hexadecimal_digits) {
  write_file(file(), kText);
  EXPECT_EQ(*read_maglev_key(file()), kKey);
  write_file(file(), "000102030405060708090A0B0C0D0E0F");
  EXPECT_EQ(*read_maglev_key(file()), kKey);
}

TEST_F(MaglevKey, that_is_none_is_refused_with_the_files_name) {
  for (const char* text : {"", "\n", "00", "000102030405060708090a0b0c0d0e0f00", "000102030405060708090a0b0c0d0e0g",
                           "-00102030405060708090a0b0c0d0e0f", "0x0102030405060708090a0b0c0d0e0f", "a b"})
    expect_no_key(text);
  expect_no_key(std::string(100000, '0'));
  const auto missing = read_maglev_key(directory_.path() / "none");
  EXPECT_THAT(missing.error().text, HasSubstr((directory_.path() / "none").string()));
  EXPECT_FALSE(read_maglev_key(directory_.path()));
}

TEST_F(MaglevKey, is_made_once_for_nobody_else_to_read) {
  const HashKey first = keep();
  EXPECT_NE(first, HashKey{});
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(keep(), first);
  EXPECT_EQ(*read_maglev_key(file()), first);
  TemporaryDirectory other;
  EXPECT_NE(keep_maglev_key(other.path(), std::nullopt), first);
}

TEST_F(MaglevKey, of_a_running_data_plane_goes_on_when_the_file_is_lost_or_damaged) {
  EXPECT_EQ(keep(kKey), kKey);
  EXPECT_EQ(read_file(file()), kText);
  write_file(file(), "damaged");
  EXPECT_EQ(keep(kKey), kKey);
  EXPECT_EQ(read_file(file()), kText);
}

TEST_F(MaglevKey, that_cannot_be_kept_is_no_reason_not_to_start) {
  EXPECT_NE(keep_maglev_key(directory_.path() / "none", std::nullopt), HashKey{});
}

}  // namespace
}  // namespace limpet
