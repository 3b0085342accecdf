// SPDX-License-Identifier: Apache-2.0
#include "director/maglev_key.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpet {
namespace {

using dataplane::HashKey;

constexpr const char* kName = "maglev-key";
constexpr std::size_t kDigits = 32;

// 16 digits, the first two the least significant byte.
std::optional<std::uint64_t> half_from(std::string_view digits) {
  std::uint64_t half = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), half, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return __builtin_bswap64(half);
}

std::optional<HashKey> key_from(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  if (text.size() != kDigits) return std::nullopt;
  const auto first = half_from(text.substr(0, kDigits / 2));
  const auto second = half_from(text.substr(kDigits / 2));
  if (!first || !second) return std::nullopt;
  return HashKey{*first, *second};
}

std::string text_of(const HashKey& key) {
  return fmt::format("{:016x}{:016x}\n", __builtin_bswap64(key.first), __builtin_bswap64(key.second));
}

HashKey random_key() {
  HashKey key;
  // Never less, and never an error, for so few bytes (getrandom(2)).
  while (::getrandom(&key, sizeof(key), 0) != static_cast<ssize_t>(sizeof(key))) continue;
  return key;
}

// Whole or not at all, and for nobody else to read.
Result<void> write_key(const std::filesystem::path& file, const HashKey& key) {
  const std::string fresh = file.string() + ".new";
  const std::string text = text_of(key);
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return system_error("cannot make " + fresh, errno);
  const bool written = ::fchmod(fd, 0600) == 0 &&
                       ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const int why = errno;
  ::close(fd);
  if (!written) return system_error("cannot write " + fresh, why);
  if (::rename(fresh.c_str(), file.c_str()) != 0) return system_error("cannot name " + file.string(), errno);
  return {};
}

}  // namespace

Result<HashKey> read_maglev_key(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return system_error("cannot read the key of maglev in " + file.string(), errno);
  std::array<char, 2 * kDigits> text;
  const ssize_t length = ::read(fd, text.data(), text.size());
  const int why = errno;
  struct stat status {};
  const bool is_open_to_others = ::fstat(fd, &status) == 0 && (status.st_mode & S_IROTH) != 0;
  ::close(fd);
  if (length < 0) return system_error("cannot read the key of maglev in " + file.string(), why);
  const auto key = key_from({text.data(), static_cast<std::size_t>(length)});
  if (!key)
    return Error{ErrorCode::bad_request,
                 file.string() + " holds no key of maglev: 32 hexadecimal digits, as `openssl rand -hex 16` makes"};
  if (is_open_to_others) spdlog::warn("everybody may read {}: who knows the key can aim at a server", file.string());
  return *key;
}

HashKey keep_maglev_key(const std::filesystem::path& state_directory, const std::optional<HashKey>& in_use) {
  const std::filesystem::path file = state_directory / kName;
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    if (const auto key = read_maglev_key(file))
      return *key;
    else
      spdlog::error("{}; going on with another one", key.error().text);
  }
  const HashKey key = in_use ? *in_use : random_key();
  if (const auto written = write_key(file, key); !written)
    spdlog::error("{}: the next start will have another key of maglev", written.error().text);
  return key;
}

}  // namespace limpet
