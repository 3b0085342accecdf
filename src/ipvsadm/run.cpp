// SPDX-License-Identifier: Apache-2.0
// The program by its name: limpetadm, ipvsadm, and the two scripts that come with ipvsadm.
#include "ipvsadm/run.h"

#include <algorithm>
#include <istream>
#include <ostream>
#include <sstream>
#include <variant>

#include "ipvsadm/carry_out.h"
#include "ipvsadm/grammar.h"
#include "ipvsadm/restore_run.h"

namespace limpet::ipvsadm {
namespace {

std::string basename(const std::string& path) { return path.substr(path.rfind('/') + 1); }

int run_words(const Surroundings& in, const std::vector<std::string>& words) {
  if (words.empty()) return carry_out(in, ListServices{}).exit_code;
  const auto parsed = parse(in.program, words, in.names, in.dialect);
  if (const auto* failure = std::get_if<ParseFailure>(&parsed)) return mistaken(in, *failure).exit_code;
  const auto& command = std::get<ParsedCommand>(parsed);
  const auto* restoring = std::get_if<Restore>(&command);
  if (restoring == nullptr) return carry_out(in, command).exit_code;
  return restoring->atomic ? restore_atomically(in, in.streams.in) : restore(in, in.streams.in);
}

// ipvsadm-save [-n].
int run_save(const Surroundings& in, const std::vector<std::string>& words) {
  const auto is_unknown = [](const std::string& word) { return word.starts_with('-') && word != "-n"; };
  if (std::any_of(words.begin(), words.end(), is_unknown)) {
    in.streams.err << "ipvsadm-save: prints the table as commands for ipvsadm-restore; with -n, in numbers.\n";
    return 1;
  }
  return carry_out(in, Save{std::find(words.begin(), words.end(), "-n") != words.end()}).exit_code;
}

// ipvsadm-restore: reads all of it, leaving out lines that begin with '#', and clears the table first.
int run_restore(const Surroundings& in) {
  std::string rules;
  for (std::string line; std::getline(in.streams.in, line);) {
    if (!line.starts_with('#')) rules += line + '\n';
  }
  if (const auto cleared = carry_out(in, Command(Flush{})); cleared.stop) return cleared.exit_code;
  std::istringstream text(rules);
  return restore(in, text);
}

}  // namespace

int run(const std::vector<std::string>& arguments, Backend& backend, const Names& names, const Streams& streams) {
  const auto program = arguments.empty() ? std::string("limpetadm") : basename(arguments.front());
  const std::vector<std::string> words(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  const Surroundings as_ipvsadm{"ipvsadm", kIpvsadm, backend, names, streams};
  if (program == "ipvsadm-save") return run_save(as_ipvsadm, words);
  if (program == "ipvsadm-restore") return run_restore(as_ipvsadm);
  if (program == "ipvsadm") return run_words(as_ipvsadm, words);
  return run_words({program, kLimpetadm, backend, names, streams}, words);
}

}  // namespace limpet::ipvsadm
