// SPDX-License-Identifier: Apache-2.0
// limpetadm, which is also ipvsadm, ipvsadm-save and ipvsadm-restore where it is called so: ipvsadm's command line in
// front of limpetd.
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/client.h"
#include "ipvsadm/names.h"
#include "ipvsadm/run.h"

namespace {

using limpet::Result;

// Connects when the first answer is needed, so that mistakes, -h and -v need no daemon.
class DaemonBackend final : public limpet::ipvsadm::Backend {
 public:
  Result<void> execute(const limpet::Command& command) override {
    if (auto connected = connect(); !connected) return connected;
    return client_->execute(command);
  }
  Result<std::vector<Result<void>>> execute_all(const std::vector<limpet::Command>& commands) override {
    if (auto connected = connect(); !connected) return connected.error();
    return client_->execute_all(commands);
  }
  std::optional<limpet::Refusal> transact(const std::vector<limpet::Command>& commands) override {
    if (auto connected = connect(); !connected) return limpet::Refusal{connected.error(), std::nullopt};
    return client_->transact(commands);
  }
  Result<std::vector<limpet::ServiceView>> services() override {
    if (auto connected = connect(); !connected) return connected.error();
    return client_->services();
  }
  Result<limpet::ServiceView> service(const limpet::ServiceKey& key) override {
    if (auto connected = connect(); !connected) return connected.error();
    return client_->service(key);
  }
  Result<limpet::Timeouts> timeouts() override {
    if (auto connected = connect(); !connected) return connected.error();
    return client_->timeouts();
  }
  Result<std::vector<limpet::SyncDaemon>> sync_daemons() override {
    if (auto connected = connect(); !connected) return connected.error();
    return client_->sync_daemons();
  }
  Result<void> connections(const std::function<bool(const limpet::ConnectionView&)>& visit) override {
    if (auto connected = connect(); !connected) return connected;
    return client_->connections(visit);
  }

 private:
  Result<void> connect() {
    if (client_) return {};
    auto client = limpet::api::Client::connect();
    if (!client) return client.error();
    client_.emplace(std::move(*client));
    return {};
  }

  std::optional<limpet::api::Client> client_;
};

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  DaemonBackend backend;
  const limpet::ipvsadm::SystemNames names;
  const int exit_code = limpet::ipvsadm::run({argv, argv + argc}, backend, names, {std::cin, std::cout, std::cerr});
  std::cout.flush();
  return exit_code;
}
