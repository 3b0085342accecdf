// SPDX-License-Identifier: Apache-2.0
// The page of `limpet what-if`, line by line as it comes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/command.h"
#include "model/foresight.h"

namespace limpet {

class WhatIfPage {
 public:
  std::string line(const ForesightLine& line);
  // What there is to say of the commands themselves, the sums, and that nothing has been changed.
  std::string end(std::span<const Command> commands) const;

 private:
  std::string service_lines(const ServiceForesight& service);
  std::string server_lines(const ServerForesight& server);

  ServiceForesight service_;  // whose servers are told of
  ConnectionFates connections_;
  ClientFates clients_;
  std::uint64_t taken_over_ = 0;
};

}  // namespace limpet
