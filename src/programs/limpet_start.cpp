// SPDX-License-Identifier: Apache-2.0
// What is typed as `limpet`: becomes the program of `limpet run`, else the one that carries the other subcommands out,
// lib/limpet/limpet-commands. Starting that, with all that it is linked with, takes four times as long as a command of
// ipvsadm; this one is linked statically and needs nothing but the C library.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "programs/limpet_run.h"

namespace {

using limpet::kNotToBeRun;
using limpet::say;

// Words of the command line, which end with a null pointer.
using Words = char**;

// Behind `--run-dir DIR` and `--run-dir=DIR`, which it takes. One without a directory stays, for others to refuse.
Words behind_run_directory(Words word, std::string& directory) {
  constexpr std::string_view kOption = "--run-dir";
  while (*word != nullptr && std::string_view(*word).starts_with(kOption)) {
    const std::string_view rest = std::string_view(*word).substr(kOption.size());
    if (rest.size() > 1 && rest[0] == '=') {
      directory = rest.substr(1);
      word += 1;
    } else if (rest.empty() && word[1] != nullptr && word[1][0] != '\0' && word[1][0] != '-') {
      directory = word[1];
      word += 2;
    } else {
      break;
    }
  }
  return word;
}

// The program of `run` and its arguments; null: another subcommand, or what `run` itself has to say.
Words program_to_run(Words words, std::string& directory) {
  Words word = behind_run_directory(words, directory);
  if (*word == nullptr || std::string_view(*word) != "run") return nullptr;
  word = behind_run_directory(word + 1, directory);
  if (*word == nullptr) return nullptr;
  const std::string_view first = *word;
  if (first == "--") return word[1] == nullptr ? nullptr : word + 1;
  return first == "-h" || first == "--help" || first.starts_with("--run-dir") ? nullptr : word;
}

std::string default_run_directory() {
  const char* directory = std::getenv("LIMPET_RUN_DIR");
  return directory != nullptr && *directory != '\0' ? directory : "/run/limpet";
}

// "…/lib/limpet", beside the bin that this program is in, installed as well as built; empty: nobody says where that is.
std::string library_directory() {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) return "";
  std::string_view program(path.data(), static_cast<std::size_t>(length));
  for (int up = 0; up < 2; ++up) program = program.substr(0, program.rfind('/'));
  return std::string(program) + "/lib/limpet";
}

}  // namespace

int main(int, char** argv) {
  const std::string libraries = library_directory();
  if (libraries.empty()) return say("/proc/self/exe cannot be read, so limpet does not find its parts", kNotToBeRun);
  std::string run_directory = default_run_directory();
  if (char** program = program_to_run(argv + 1, run_directory))
    return limpet::run_program(libraries + "/liblimpet-ipvs.so", run_directory, program);
  const std::string commands = libraries + "/limpet-commands";
  ::execv(commands.c_str(), argv);
  return say(commands + ": " + std::strerror(errno), kNotToBeRun);
}
