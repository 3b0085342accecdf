// SPDX-License-Identifier: Apache-2.0
// Runs a command line against whoever keeps the table: what ipvsadm is, without knowing who that is.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "ipvsadm/names.h"
#include "model/command.h"
#include "model/result.h"
#include "model/transaction.h"
#include "model/view.h"

namespace limpet::ipvsadm {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Result<void> execute(const Command& command) = 0;
  // In order, each with its own outcome; the error is that nobody answers.
  virtual Result<std::vector<Result<void>>> execute_all(const std::vector<Command>& commands) = 0;
  // All or none; nullopt: all.
  virtual std::optional<Refusal> transact(const std::vector<Command>& commands) = 0;
  virtual Result<std::vector<ServiceView>> services() = 0;
  virtual Result<ServiceView> service(const ServiceKey& key) = 0;
  virtual Result<Timeouts> timeouts() = 0;
  virtual Result<std::vector<SyncDaemon>> sync_daemons() = 0;
  virtual Result<void> connections(const std::function<bool(const ConnectionView&)>& visit) = 0;
};

struct Streams {
  std::istream& in;  // read by -R only
  std::ostream& out;
  std::ostream& err;
};

// `arguments`: argv. The program's name comes first and says whose manners it has: "ipvsadm", "ipvsadm-save" and
// "ipvsadm-restore" those of these, any other limpetadm's. Returns the exit code: 0, 1 (a listing failed), 2 (a mistake
// in the command line, or nobody answers) or 255 (the command was refused, or popt would have).
int run(const std::vector<std::string>& arguments, Backend& backend, const Names& names, const Streams& streams);

}  // namespace limpet::ipvsadm
