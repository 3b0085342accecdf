// SPDX-License-Identifier: Apache-2.0
// Changes by limpetadm's grammar.
#include "programs/limpet_changes.h"

#include <istream>
#include <utility>
#include <variant>

#include "ipvsadm/grammar.h"
#include "ipvsadm/restore.h"

namespace limpet {
namespace {

constexpr const char* kProgram = "limpetadm";

Error wrong(std::string text) { return {ErrorCode::bad_request, std::move(text)}; }

Result<Command> command_of(std::span<const std::string> words, const ipvsadm::Names& names) {
  const auto parsed = ipvsadm::parse(kProgram, words, names);
  if (const auto* failure = std::get_if<ipvsadm::ParseFailure>(&parsed)) return wrong(failure->text);
  const auto* command = std::get_if<Command>(&std::get<ipvsadm::ParsedCommand>(parsed));
  if (command == nullptr) return wrong("this changes nothing: give a change, such as -d -t 192.0.2.1:80 -r 10.0.0.1");
  return *command;
}

}  // namespace

Result<std::vector<Change>> change_of_words(std::span<const std::string> words, const ipvsadm::Names& names) {
  if (!words.empty() && (words.front() == kProgram || words.front() == "ipvsadm")) words = words.subspan(1);
  if (words.empty()) return wrong("what is to be changed? Give it as to limpetadm: -d -t 192.0.2.1:80 -r 10.0.0.1");
  auto command = command_of(words, names);
  if (!command) return command.error();
  std::vector<Change> changes;
  changes.push_back({std::move(*command), ""});
  return changes;
}

Result<std::vector<Change>> changes_of_rules(std::istream& rules, const ipvsadm::Names& names) {
  ipvsadm::RestoreReader reader(rules, ipvsadm::kLimpetadm);
  std::vector<Change> changes;
  while (const auto line = reader.next()) {
    std::string origin = "line " + std::to_string(line->number) + ": " + line->text;
    auto command = command_of(line->words, names);
    if (!command) return wrong(origin + ": " + command.error().text);
    changes.push_back({std::move(*command), std::move(origin)});
  }
  if (rules.bad()) return wrong("the rules cannot be read");
  if (changes.empty()) return wrong("there are no changes to look at");
  return changes;
}

}  // namespace limpet
