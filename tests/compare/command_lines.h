// SPDX-License-Identifier: Apache-2.0
// Command lines as people write them, and as they mistype them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace limpet::compare {

using Words = std::vector<std::string>;

class CommandLines {
 public:
  explicit CommandLines(std::uint64_t seed) : engine_(seed) {}
  Words next();

 private:
  struct Given;  // an option as it is to be written

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_); }
  bool one_in(std::size_t chances) { return below(chances) == 0; }
  std::string any(const std::vector<const char*>& texts) { return texts[below(texts.size())]; }
  std::string endpoint();
  std::string value_of(const std::string& long_name);
  Given option(const std::string& long_name);
  Given service();
  std::vector<Given> fitting(const std::string& command);
  void spoil(std::vector<Given>& options);
  void write(const Given& option, Words& words);

  std::mt19937_64 engine_;
};

}  // namespace limpet::compare
