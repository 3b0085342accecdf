// SPDX-License-Identifier: Apache-2.0
// What limpet's subcommands are asked about, as typed. Errors are bad_request; they name the option and the word.
#pragma once

#include <string>

#include "model/explanation.h"
#include "model/result.h"
#include "model/session.h"

namespace limpet {

// An empty string is an option that was not given.
struct SessionArguments {
  std::string client;   // 10.1.0.1, 10.1.0.0/24
  std::string service;  // 192.0.2.1:80 (TCP), t: or tcp:…, u: or udp:…, f: or fwm:10; no port: 0, every port
  std::string server;   // 10.0.0.1, 10.0.0.1:80
};
Result<SessionFilter> read_session_arguments(const SessionArguments& arguments);

struct ExplainArguments {
  std::string client;            // 10.1.0.1, 10.1.0.1:40000
  std::string virtual_endpoint;  // 192.0.2.1:80
  std::string mark;              // decimal, or hexadecimal behind 0x
  bool udp = false;
};
Result<ExplainQuestion> read_explain_arguments(const ExplainArguments& arguments);

}  // namespace limpet
