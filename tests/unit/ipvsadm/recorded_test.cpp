// SPDX-License-Identifier: Apache-2.0
// Every recorded command of a real ipvsadm on a real ip_vs, replayed in order under ipvsadm's names: same output, same
// errors, same exit code.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/ipvsadm/fakes.h"

namespace limpet::ipvsadm {
namespace {

struct Recorded {
  std::string program;
  std::string arguments;
  std::string input;
  std::string not_compared;
  Outcome expected;
};

std::vector<Recorded> recorded_commands() {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "recorded_commands.txt");
  std::vector<Recorded> commands;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto text = line.size() > 2 ? line.substr(2) : "";
    const auto blank = std::min(text.find(' '), text.size());
    switch (line.front()) {
      case '$':
        commands.emplace_back().program = text.substr(0, blank);
        commands.back().arguments = text.substr(blank);
        break;
      case '?':
        commands.back().not_compared = text;
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

std::string sorted(std::string text) {
  std::sort(text.begin(), text.end());
  return text;
}

TEST(Recorded, every_command_of_the_real_ipvsadm_gives_the_same_text_and_exit_code) {
  FakeBackend kernel;
  AbsentDaemon nobody;
  const auto commands = recorded_commands();
  EXPECT_EQ(commands.size(), 226u);
  for (const auto& recorded : commands) {
    const auto trace = recorded.program + recorded.arguments;
    const bool absent = recorded.not_compared == "absent";
    auto& backend = absent ? static_cast<Backend&>(nobody) : kernel;
    const auto outcome = run_line(backend, recorded.arguments, recorded.input, recorded.program);
    EXPECT_EQ(outcome.exit_code, recorded.expected.exit_code) << trace;
    if (recorded.not_compared == "order") {
      EXPECT_EQ(sorted(outcome.out), sorted(recorded.expected.out)) << trace;
    } else if (recorded.not_compared.empty()) {
      EXPECT_EQ(outcome.out, recorded.expected.out) << trace;
      EXPECT_EQ(outcome.err, recorded.expected.err) << trace;
    }
  }
}

}  // namespace
}  // namespace limpet::ipvsadm
