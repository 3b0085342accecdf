// SPDX-License-Identifier: Apache-2.0
// Saved commands, line by line.
#include "ipvsadm/restore.h"

#include <algorithm>
#include <istream>
#include <string_view>

namespace limpet::ipvsadm {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::size_t begin = line.find_first_not_of(kBlanks);
  while (begin != std::string::npos) {
    const auto end = std::min(line.find_first_of(kBlanks, begin), line.size());
    auto word = line.substr(begin, end - begin);
    if (word != "ipvsadm") words.push_back(std::move(word));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

}  // namespace

std::optional<RestoreLine> RestoreReader::next() {
  RestoreLine line;
  while (std::getline(in_, line.text)) {
    line.number = ++number_;
    line.words = words_of(line.text);
    if (line.words.empty() || (comments_ && line.words.front().starts_with('#'))) continue;
    return line;
  }
  return std::nullopt;
}

bool RestoreReader::would_wait() const { return in_.rdbuf()->in_avail() <= 0; }

}  // namespace limpet::ipvsadm
