// SPDX-License-Identifier: Apache-2.0
// What limpet's subcommands are asked about, as typed. Errors are bad_request; they name the option and the word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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

struct DrainArguments {
  std::string server;                 // 10.0.0.1, 10.0.0.1:80
  std::vector<std::string> services;  // as SessionArguments::service; none: every one that has the server
  std::vector<std::string> until;     // "connections", "persistence", 90, 90s, 10m, 2h, 1d
};
struct DrainGoal {
  ServerName server;
  std::vector<ServiceKey> services;
  bool clients_too = true;               // persistent ones
  std::optional<std::uint32_t> seconds;  // at most
};
Result<DrainGoal> read_drain_arguments(const DrainArguments& arguments);

}  // namespace limpet
