// SPDX-License-Identifier: Apache-2.0
// Some thousand command lines, right and wrong, read by the distribution's ipvsadm and by limpetadm under its name: the
// same complaints, or the same words to the kernel.
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "compare/command_lines.h"
#include "compare/kernel_text.h"
#include "compare/names.h"
#include "compare/real_ipvsadm.h"
#include "ipvsadm/grammar.h"

namespace limpet::compare {
namespace {

using ipvsadm::ParsedCommand;
using ipvsadm::ParseFailure;

constexpr std::uint64_t kUsualSeed = 20261126;
constexpr int kLines = 4000;

class TableNames final : public ipvsadm::Names {
 public:
  std::optional<Address> host_address(const std::string& name) const override {
    if (name != kHostName) return std::nullopt;
    std::uint32_t address = 0;
    std::memcpy(&address, kHostAddress, sizeof address);
    return Address::ipv4(address);
  }
  std::optional<Port> service_port(const std::string& name, Protocol protocol) const override {
    const std::string in = protocol == Protocol::tcp ? "tcp" : protocol == Protocol::udp ? "udp" : "sctp";
    for (const auto& each : kServiceNames) {
      if (name == each.name && in == each.protocol) return Port{each.port};
    }
    return std::nullopt;
  }
  std::optional<std::string> host_name(const Address&) const override { return std::nullopt; }
  std::optional<std::string> service_name(Port, Protocol) const override { return std::nullopt; }
};

std::string shown(const Words& words) {
  std::string text = "ipvsadm";
  for (const auto& word : words) text += " '" + word + "'";
  return text;
}

void expect_same_command(const Command& ours, const RealOutcome& real, const std::string& line) {
  const auto text = kernel_text(ours);
  if (!text) {
    EXPECT_EQ(real.err, "Operation not supported with specified address family\n") << line;
    return;
  }
  EXPECT_EQ(real.err, "") << line;
  EXPECT_EQ(real.exit_code, 0) << line;
  ASSERT_EQ(real.set.size(), 1u) << line;
  EXPECT_EQ(meaning(*text), meaning(real.set.front())) << line;
}

void compare(const Words& words) {
  const auto line = shown(words);
  const auto real = run_real(words);
  const auto ours = ipvsadm::parse("ipvsadm", words, TableNames(), ipvsadm::kIpvsadm);
  if (const auto* failure = std::get_if<ParseFailure>(&ours)) {
    EXPECT_EQ(failure->text + "\n", real.err) << line;
    EXPECT_EQ(failure->exit_code, real.exit_code) << line;
    EXPECT_TRUE(real.set.empty()) << line;
    return;
  }
  const auto& parsed = std::get<ParsedCommand>(ours);
  if (const auto* command = std::get_if<Command>(&parsed)) return expect_same_command(*command, real, line);
  EXPECT_TRUE(real.set.empty()) << line;
  // A listing comes as far as the kernel, which has nothing to list; the rest needs none.
  const bool lists = !std::holds_alternative<ipvsadm::Restore>(parsed) &&
                     !std::holds_alternative<ipvsadm::ShowHelp>(parsed) &&
                     !std::holds_alternative<ipvsadm::ShowVersion>(parsed);
  EXPECT_EQ(real.exit_code, lists ? 1 : 0) << line << ": " << real.err;
}

// LIMPET_SEED=N repeats a run, or makes another.
TEST(CommandLine, is_read_as_the_distributions_ipvsadm_reads_it) {
  ASSERT_EQ(run_real({"-v"}).exit_code, 0) << "the package ipvsadm is needed";
  const char* given = std::getenv("LIMPET_SEED");
  const auto seed = given == nullptr ? kUsualSeed : std::strtoull(given, nullptr, 10);
  std::cout << "LIMPET_SEED=" << seed << "\n";
  CommandLines lines(seed);
  for (int i = 0; i < kLines && !HasFatalFailure(); ++i) compare(lines.next());
}

}  // namespace
}  // namespace limpet::compare
