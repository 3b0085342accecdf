// SPDX-License-Identifier: Apache-2.0
// The whole of limpetadm over a table in memory.
#include "fuzz/targets.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "unit/ipvsadm/fakes.h"

namespace limpet::fuzz {
namespace {

using ipvsadm::FakeBackend;
using ipvsadm::run;

constexpr std::array<const char*, 4> kPrograms = {"limpetadm", "ipvsadm", "ipvsadm-save", "ipvsadm-restore"};

// A table with something in it to be changed by mistake.
FakeBackend furnished() {
  FakeBackend backend;
  std::istringstream rules(
      "-A -t 192.0.2.1:80 -s rr -p 600\n-a -t 192.0.2.1:80 -r 10.0.0.1 -m -w 3 -x 9 -y 5\n-A -f 10 -s sh -b sh-port\n"
      "-a -f 10 -r 10.0.0.2 -i --tun-type gue --tun-port 6080\n-A -t [2001:db8::1]:443 -p -M 64\n"
      "--start-daemon master --mcast-interface lo\n");
  std::ostringstream ignored;
  if (run({"limpetadm", "-R"}, backend, ipvsadm::FakeNames(), {rules, ignored, ignored}) != 0) std::abort();
  return backend;
}

int run_on(FakeBackend& backend, const std::vector<std::string>& arguments, std::string_view input) {
  std::istringstream in{std::string(input)};
  std::ostringstream ignored;
  return run(arguments, backend, ipvsadm::FakeNames(), {in, ignored, ignored});
}

void expect_unchanged(const FakeBackend& backend, const FakeBackend& before, const char* what) {
  if (backend.configuration == before.configuration) return;
  std::fprintf(stderr, "%s was rejected and has changed the table\n", what);
  std::abort();
}

}  // namespace

void read_command_line(std::string_view bytes) {
  static const FakeBackend before = furnished();
  if (bytes.empty()) return;
  std::vector<std::string> arguments = {kPrograms[static_cast<unsigned char>(bytes.front()) % kPrograms.size()]};
  std::istringstream words{std::string(bytes.substr(1))};
  for (std::string word; std::getline(words, word);) arguments.push_back(word);
  const bool clears_first = arguments.front() == "ipvsadm-restore";
  auto backend = before;
  if (run_on(backend, arguments, "") != 0 && !clears_first) expect_unchanged(backend, before, "a command line");
}

void read_rules(std::string_view bytes) {
  static const FakeBackend before = furnished();
  auto atomic = before;
  if (run_on(atomic, {"limpetadm", "-R", "--atomic"}, bytes) != 0) {
    expect_unchanged(atomic, before, "a text of rules");
  } else {
    // What is right as a whole is right line by line, and comes to the same.
    auto single = before;
    if (run_on(single, {"limpetadm", "-R"}, bytes) != 0 || !(single.configuration == atomic.configuration)) {
      std::fprintf(stderr, "the two ways of restoring differ\n");
      std::abort();
    }
  }
  for (const char* program : {"ipvsadm", "limpetadm"}) {
    auto backend = before;
    (void)run_on(backend, {program, "-R"}, bytes);
  }
  auto backend = before;
  (void)run_on(backend, {"ipvsadm-restore"}, bytes);
}

}  // namespace limpet::fuzz
