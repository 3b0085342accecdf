// SPDX-License-Identifier: Apache-2.0
// The environment of the library, and exec.
#include "programs/limpet_run.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "programs/preloadable.h"

namespace limpet {
namespace {

void preload(const std::string& path) {
  const char* others = std::getenv("LD_PRELOAD");
  const std::string all = others == nullptr || *others == '\0' ? path : path + ":" + others;
  ::setenv("LD_PRELOAD", all.c_str(), 1);
}

// Since programs change their directory.
std::string absolute(const std::string& path) {
  std::array<char, 4096> here{};
  if (path.starts_with('/') || ::getcwd(here.data(), here.size()) == nullptr) return path;
  return std::string(here.data()) + "/" + path;
}

}  // namespace

int say(const std::string& text, int status) {
  const std::string line = "limpet: " + text + "\n";
  const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  static_cast<void>(written);  // nobody is left to tell
  return status;
}

int run_program(const std::string& library, const std::string& run_directory, char** words) {
  if (::access(library.c_str(), R_OK) != 0) return say(library + ": " + std::strerror(errno), kNotToBeRun);
  if (library.find_first_of(" :") != std::string::npos)  // they part the words of LD_PRELOAD
    return say(library + ": no blank or colon may be in the library's path", kNotToBeRun);
  const std::string program = words[0];
  const auto file = find_program(program);
  if (file) {
    // It would be run, and talk to the kernel.
    if (const char* why = why_not_preloadable(*file))
      return say(*file + " " + why + ": the library that leads it to limpetd cannot be loaded", kNotToBeRun);
  }
  preload(library);
  ::setenv("LIMPET_RUN_DIR", absolute(run_directory).c_str(), 1);
  // By its path: each directory of $PATH in which it is not would be an execve() more.
  ::execvp(file ? file->c_str() : words[0], words);
  const bool missing = errno == ENOENT;
  return say(program + ": " + (missing ? "not found" : std::strerror(errno)), missing ? kNotFound : kNotToBeRun);
}

}  // namespace limpet
