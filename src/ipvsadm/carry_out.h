// SPDX-License-Identifier: Apache-2.0
// One parsed command against the backend: what it prints and its exit code.
#pragma once

#include <string>

#include "ipvsadm/grammar.h"
#include "ipvsadm/run.h"

namespace limpet::ipvsadm {

struct Surroundings {
  std::string program;  // in messages
  const Dialect& dialect;
  Backend& backend;
  const Names& names;
  const Streams& streams;
};

struct Executed {
  int exit_code = 0;
  bool stop = false;  // a restore reads no further
};

// Any command but Restore.
Executed carry_out(const Surroundings& in, const ParsedCommand& command);
// What is said and returned when a command, not a listing, was refused.
Executed refused(const Surroundings& in, const Error& error);
Executed mistaken(const Surroundings& in, const ParseFailure& failure);

}  // namespace limpet::ipvsadm
