// SPDX-License-Identifier: Apache-2.0
// Changes as limpetadm takes them, for subcommands of limpet that are about changes.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "ipvsadm/names.h"
#include "model/command.h"
#include "model/result.h"

namespace limpet {

struct Change {
  Command command;
  std::string origin;  // "line 3: -A -t 192.0.2.1:80" of rules; empty: the command line
};

// "limpetadm" (or "ipvsadm") may come first, or be left out. Errors: bad_request, in limpetadm's words.
Result<std::vector<Change>> change_of_words(std::span<const std::string> words, const ipvsadm::Names& names);
// One a line, as limpetadm -R takes them.
Result<std::vector<Change>> changes_of_rules(std::istream& rules, const ipvsadm::Names& names);

}  // namespace limpet
