// SPDX-License-Identifier: Apache-2.0
// One process a command line.
#include "compare/real_ipvsadm.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>

namespace limpet::compare {
namespace {

constexpr const char* kProgram = "/sbin/ipvsadm";
constexpr int kReport = 9;

std::string all_of(int fd) {
  std::string text;
  std::array<char, 4096> block;
  for (ssize_t n = 0; (n = ::read(fd, block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<std::size_t>(n));
  ::close(fd);
  return text;
}

[[noreturn]] void become(std::vector<std::string> words, int err, int report) {
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(report, kReport);
  ::dup2(err, STDERR_FILENO);
  ::setenv("LD_PRELOAD", LIMPET_IPVSADM_PRELOAD, 1);
  ::setenv("LC_ALL", "C", 1);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(kProgram, arguments.data());
  ::_exit(98);
}

}  // namespace

RealOutcome run_real(const std::vector<std::string>& words) {
  int err[2];
  int report[2];
  if (::pipe2(err, O_CLOEXEC) != 0 || ::pipe2(report, O_CLOEXEC) != 0) return {"no pipe", -1, {}};
  std::vector<std::string> arguments = words;
  arguments.insert(arguments.begin(), "ipvsadm");
  const pid_t child = ::fork();
  if (child == 0) become(std::move(arguments), err[1], report[1]);
  ::close(err[1]);
  ::close(report[1]);
  RealOutcome outcome;
  outcome.err = all_of(err[0]);
  std::istringstream reports(all_of(report[0]));
  for (std::string line; std::getline(reports, line);) outcome.set.push_back(line);
  int status = 0;
  ::waitpid(child, &status, 0);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

}  // namespace limpet::compare
