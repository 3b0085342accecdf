// SPDX-License-Identifier: Apache-2.0
// Asks what changes would do, and prints it.
#include "programs/limpet_what_if.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iostream>

#include "api/client.h"
#include "ipvsadm/messages.h"
#include "json/json.h"
#include "programs/limpet_changes.h"
#include "programs/limpet_print.h"
#include "programs/limpet_what_if_text.h"

namespace limpet {
namespace {

Result<std::vector<Change>> read_changes(const WhatIfArguments& arguments) {
  const ipvsadm::SystemNames names;
  const auto& words = arguments.words;
  if (!arguments.file.empty()) {
    if (!words.empty())
      return Error{ErrorCode::bad_request,
                   fmt::format("--file and a change (\"{}\") exclude each other", words.front())};
    std::ifstream file(arguments.file);
    if (!file) return system_error("cannot read " + arguments.file, errno);
    return changes_of_rules(file, names);
  }
  const bool from_input = !words.empty() && (words.back() == "-R" || words.back() == "--restore");
  return from_input ? changes_of_rules(std::cin, names) : change_of_words(words, names);
}

// In the words of the command itself.
Error refused(const Refusal& refusal, const std::vector<Change>& changes) {
  Error error = refusal.error;
  if (ipvsadm::is_unreachable(error)) return error;
  error.text = ipvsadm::error_text(error);
  const std::string origin = refusal.command ? changes[*refusal.command].origin : "";
  error.text = (origin.empty() ? "" : origin + ": ") + "this would be refused: " + error.text;
  return error;
}

}  // namespace

Result<void> show_what_if(const std::filesystem::path& run_directory, const WhatIfArguments& arguments, bool as_json) {
  const auto changes = read_changes(arguments);
  if (!changes) return changes.error();
  std::vector<Command> commands;
  for (const Change& change : *changes) commands.push_back(change.command);
  auto client = api::Client::connect(run_directory);
  if (!client) return client.error();
  WhatIfPage page;
  bool all = true;
  const auto refusal = client->what_if(commands, [&](const ForesightLine& line) {
    all =
        all && print(as_json ? json_codec::to_text(json_codec::foresight_line_to_json(line)) + "\n" : page.line(line));
    return all;
  });
  if (refusal) return refused(*refusal, *changes);
  if (!as_json) all = all && print(page.end(commands));
  return printed(all);
}

}  // namespace limpet
