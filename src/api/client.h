// SPDX-License-Identifier: Apache-2.0
// limpetadm's and limpet's side of the HTTP API: typed calls over the daemon's unix socket.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "director/director.h"
#include "model/command.h"
#include "model/explanation.h"
#include "model/foresight.h"
#include "model/result.h"
#include "model/session.h"
#include "model/transaction.h"
#include "model/view.h"

namespace limpet::api {

// $LIMPET_RUN_DIR, else /run/limpet.
std::filesystem::path default_run_directory();

class Client {
 public:
  // Errors: not_running (no daemon answers, the text says where it was looked for), permission, other_namespace.
  static Result<Client> connect(const std::filesystem::path& run_directory = default_run_directory());

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  Result<void> execute(const Command& command);
  // Many commands in order over one connection, each with its own outcome; not atomic. The error is the connection's.
  Result<std::vector<Result<void>>> execute_all(const std::vector<Command>& commands);
  // All of them or none; nullopt: all.
  std::optional<Refusal> transact(const std::vector<Command>& commands);
  // What they would do to the connections and clients there are, line by line until `visit` returns false; or which of
  // them would be refused. Nothing is changed.
  std::optional<Refusal> what_if(const std::vector<Command>& commands,
                                 const std::function<bool(const ForesightLine&)>& visit);
  Result<std::vector<ServiceView>> services();
  Result<ServiceView> service(const ServiceKey& key);
  Result<Timeouts> timeouts();
  Result<std::vector<Setting>> tunables();  // net.ipv4.vs.*: all, by name
  Result<std::vector<SyncDaemon>> sync_daemons();
  // Calls `visit` for every connection and template as it arrives, in bounded memory; stops when it returns false.
  Result<void> connections(const std::function<bool(const ConnectionView&)>& visit);
  // The same with why they are there; narrowed by the daemon, so that only what is asked for travels.
  Result<void> sessions(const SessionFilter& filter, const std::function<bool(const SessionView&)>& visit);
  Result<Remaining> remaining(const SessionFilter& filter);
  // Which server a new connection would get, and by which rule. Changes nothing.
  Result<Explanation> explain(const ExplainQuestion& question);
  Result<Status> status();
  Result<void> unload();

 private:
  class Session;
  explicit Client(std::unique_ptr<Session> session);
  std::unique_ptr<Session> session_;
};

}  // namespace limpet::api
