// SPDX-License-Identifier: Apache-2.0
// The text that `-R` reads: a command a line.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace limpet::ipvsadm {

struct Executed {
  int exit_code = 0;
  bool stop = false;  // read no further
};

// Runs each line's words by `execute`; returns the last exit code. Words end at blanks, there is no quoting and there
// are no comments; the word "ipvsadm" is dropped wherever it stands, and a line without words is skipped.
int restore(std::istream& in, const std::function<Executed(const std::vector<std::string>&)>& execute);

}  // namespace limpet::ipvsadm
