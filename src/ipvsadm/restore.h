// SPDX-License-Identifier: Apache-2.0
// The text that `-R` reads: a command a line.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "ipvsadm/dialect.h"

namespace limpet::ipvsadm {

struct RestoreLine {
  std::size_t number = 0;  // from 1
  std::string text;
  std::vector<std::string> words;
};

// Words end at blanks, there is no quoting; the word "ipvsadm" is dropped wherever it stands, and a line without words
// is skipped. So are comments, if the dialect has them.
class RestoreReader {
 public:
  RestoreReader(std::istream& in, const Dialect& dialect) : in_(in), comments_(dialect.comments) {}

  std::optional<RestoreLine> next();  // nullopt: the end
  // Whether the next line is still to be written by whoever is at the other end.
  bool would_wait() const;

 private:
  std::istream& in_;
  bool comments_;
  std::size_t number_ = 0;
};

}  // namespace limpet::ipvsadm
