// SPDX-License-Identifier: Apache-2.0
// Why a command line was not understood, in ipvsadm's words and exit codes.
#pragma once

#include <optional>
#include <string>
#include <variant>

namespace limpet::ipvsadm {

struct ParseFailure {
  std::string text;  // for stderr, without the final line break
  int exit_code = 2;
  bool aborts = true;  // whether a restore ends here; errors of the option scanner only cost their line

  bool operator==(const ParseFailure&) const = default;
};

using Checked = std::optional<ParseFailure>;  // nullopt: all is well

inline ParseFailure fail(std::string text) { return {std::move(text), 2, true}; }

}  // namespace limpet::ipvsadm
