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
constexpr int kReport = 9;  // its descriptor for reports

std::string all_of(int fd) {
  std::string text;
  std::array<char, 4096> block;
  for (ssize_t n = 0; (n = ::read(fd, block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<std::size_t>(n));
  ::close(fd);
  return text;
}

struct Pipe {
  int ends[2] = {-1, -1};
  bool open() { return ::pipe2(ends, O_CLOEXEC) == 0; }
  std::string read_all() {
    ::close(ends[1]);
    return all_of(ends[0]);
  }
};

[[noreturn]] void become(std::vector<std::string> words) {
  ::setenv("LC_ALL", "C", 1);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(kProgram, arguments.data());
  ::_exit(98);
}

// Starts it, with what `prepare` does in the child before.
template <class Prepare>
pid_t start(const std::vector<std::string>& words, Prepare prepare) {
  std::vector<std::string> arguments = words;
  arguments.insert(arguments.begin(), "ipvsadm");
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::dup2(::open("/dev/null", O_RDWR), STDIN_FILENO);
  prepare();
  become(std::move(arguments));
}

int exit_code_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

RealOutcome run_real(const std::vector<std::string>& words) {
  Pipe err;
  Pipe report;
  RealOutcome outcome;
  if (!err.open() || !report.open()) return outcome;
  const pid_t child = start(words, [&] {
    ::dup2(STDIN_FILENO, STDOUT_FILENO);
    ::dup2(err.ends[1], STDERR_FILENO);
    ::dup2(report.ends[1], kReport);
    ::setenv("LD_PRELOAD", LIMPET_IPVSADM_PRELOAD, 1);
  });
  outcome.err = err.read_all();
  std::istringstream reports(report.read_all());
  for (std::string line; std::getline(reports, line);) outcome.set.push_back(line);
  outcome.exit_code = exit_code_of(child);
  return outcome;
}

RealOutcome run_through_limpet(const std::vector<std::string>& words, const std::filesystem::path& run_directory) {
  Pipe out;
  Pipe err;
  RealOutcome outcome;
  if (!out.open() || !err.open()) return outcome;
  const pid_t child = start(words, [&] {
    ::dup2(out.ends[1], STDOUT_FILENO);
    ::dup2(err.ends[1], STDERR_FILENO);
    ::setenv("LD_PRELOAD", LIMPET_IPVS_LIBRARY, 1);
    ::setenv("LIMPET_RUN_DIR", run_directory.c_str(), 1);
  });
  outcome.out = out.read_all();
  outcome.err = err.read_all();
  outcome.exit_code = exit_code_of(child);
  return outcome;
}

}  // namespace limpet::compare
