// SPDX-License-Identifier: Apache-2.0
// The targets of tests/fuzz under a plain mutator, which starts from recorded commands: quick, and always there.
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fuzz/targets.h"

namespace limpet::fuzz {
namespace {

// The arguments of every recorded command, a line each.
std::vector<std::string> recorded_arguments() {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "recorded_commands.txt");
  std::vector<std::string> commands;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("$ ipvsadm ")) commands.push_back(line.substr(10));
  }
  return commands;
}

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> corpus) : corpus_(std::move(corpus)) {}

  std::string next(char separator) {
    std::string text;
    for (std::size_t count = 1 + below(3); count > 0; --count) text += corpus_[below(corpus_.size())] + separator;
    for (std::size_t count = below(6); count > 0; --count) mutate(text);
    return text;
  }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_); }
  std::size_t within(const std::string& text) { return below(text.size() + 1); }

  void mutate(std::string& text) {
    const auto at = within(text);
    switch (below(5)) {
      case 0:
        text.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 3:
        text.insert(at, text.substr(within(text), below(20)));
        break;
      default:
        text.insert(at, corpus_[below(corpus_.size())]);
    }
  }

  std::vector<std::string> corpus_;
  std::mt19937_64 engine_{4};
};

TEST(Fuzz, no_command_line_crashes_or_changes_the_table_when_it_is_rejected) {
  Mutator mutator(recorded_arguments());
  for (int i = 0; i < 20000; ++i) {
    auto line = mutator.next(' ');
    for (auto& letter : line) letter = letter == ' ' ? '\n' : letter;
    read_command_line(std::string(1, static_cast<char>(i)) + line);
  }
}

TEST(Fuzz, no_rules_crash_and_atomic_ones_change_the_table_whole_or_not_at_all) {
  Mutator mutator(recorded_arguments());
  for (int i = 0; i < 4000; ++i) read_rules(mutator.next('\n'));
}

}  // namespace
}  // namespace limpet::fuzz
