// SPDX-License-Identifier: Apache-2.0
// Reads saved commands. Not atomic: what ran before an error stays, as with ipvsadm.
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

int restore(std::istream& in, const std::function<Executed(const std::vector<std::string>&)>& execute) {
  int exit_code = 0;
  for (std::string line; std::getline(in, line);) {
    const auto words = words_of(line);
    if (words.empty()) continue;
    const auto executed = execute(words);
    exit_code = executed.exit_code;
    if (executed.stop) break;
  }
  return exit_code;
}

}  // namespace limpet::ipvsadm
