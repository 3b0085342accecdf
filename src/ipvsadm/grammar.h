// SPDX-License-Identifier: Apache-2.0
// ipvsadm's command line as a value. Pure but for the names it asks for.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>

#include "ipvsadm/dialect.h"
#include "ipvsadm/names.h"
#include "ipvsadm/parse_result.h"
#include "model/command.h"

namespace limpet::ipvsadm {

struct ListFormat {
  bool numeric = false;
  bool stats = false;
  bool rate = false;
  bool thresholds = false;
  bool persistent_conn = false;
  bool tun_info = false;
  bool exact = false;
  bool sorted = true;
};

struct ListServices {
  std::optional<ServiceKey> service;  // nullopt: all
  ListFormat format;
};
struct ListConnections {
  ListFormat format;
};
struct ListTimeouts {};
struct ListDaemons {};
struct Save {
  bool numeric = false;
};
struct Restore {
  bool atomic = false;
};
struct ShowHelp {};
struct ShowVersion {};

using ParsedCommand = std::variant<Command, ListServices, ListConnections, ListTimeouts, ListDaemons, Save, Restore,
                                   ShowHelp, ShowVersion>;

// `words`: the command line without the program's name; `program`: that name, for messages. No words at all are a usage
// error here: that they mean "list" outside of a restore is for the caller to know.
std::variant<ParsedCommand, ParseFailure> parse(const std::string& program, std::span<const std::string> words,
                                                const Names& names, const Dialect& dialect = kLimpetadm);

ParseFailure try_help(const std::string& program);

}  // namespace limpet::ipvsadm
