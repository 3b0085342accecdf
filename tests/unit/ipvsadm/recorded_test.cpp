// SPDX-License-Identifier: Apache-2.0
// Every recorded command of a real ipvsadm on a real ip_vs, replayed in order: same output, same errors, same exit
// code.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/ipvsadm/fakes.h"

namespace limpet::ipvsadm {
namespace {

struct Recorded {
  std::string command;
  std::string input;
  Outcome expected;
};

std::vector<Recorded> recorded_commands() {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "recorded_commands.txt");
  std::vector<Recorded> commands;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto text = line.size() > 2 ? line.substr(2) : "";
    switch (line.front()) {
      case '$':
        commands.emplace_back().command = text;
        break;
      case '<':
        commands.back().input += text + "\n";
        break;
      case '>':
        commands.back().expected.out += text + "\n";
        break;
      case '!':
        commands.back().expected.err += text + "\n";
        break;
      default:
        commands.back().expected.exit_code = std::stoi(text);
    }
  }
  return commands;
}

TEST(Recorded, every_command_of_the_real_ipvsadm_gives_the_same_text_and_exit_code) {
  FakeBackend backend;
  const auto commands = recorded_commands();
  EXPECT_EQ(commands.size(), 201u);
  for (const auto& recorded : commands) {
    const auto outcome = run_line(backend, recorded.command, recorded.input);
    EXPECT_EQ(outcome.out, recorded.expected.out) << recorded.command;
    EXPECT_EQ(outcome.err, recorded.expected.err) << recorded.command;
    EXPECT_EQ(outcome.exit_code, recorded.expected.exit_code) << recorded.command;
  }
}

}  // namespace
}  // namespace limpet::ipvsadm
