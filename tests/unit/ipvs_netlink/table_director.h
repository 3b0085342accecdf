// SPDX-License-Identifier: Apache-2.0
// A director that keeps a table and the kernel's rules, carries everything and forwards nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/configuration.h"
#include "unit/api/fake_director.h"

namespace limpet::ipvs_netlink {

class TableDirector : public api::FakeDirector {
 public:
  Result<void> execute(const Command& asked) override {
    Command command = asked;
    if (auto* start = std::get_if<StartSyncDaemon>(&command)) {
      const auto mtu = interfaces.find(start->daemon.interface);
      auto ready =
          configuration.ready(start->daemon, mtu == interfaces.end() ? std::nullopt : std::optional(mtu->second));
      if (!ready) return ready.error();
      start->daemon = *ready;
    }
    if (auto fine = configuration.check(command); !fine) return fine;
    configuration.apply(command);
    return {};
  }
  std::unique_ptr<ServiceCursor> services() override {
    std::vector<ServiceView> views;
    for (const auto& each : configuration.services()) views.push_back(view(each));
    return std::make_unique<api::FakeServices>(std::move(views));
  }
  Result<ServiceView> service(const ServiceKey& key) override {
    const auto* found = configuration.find(key);
    if (found == nullptr) return Error{ErrorCode::no_such_service, "there is no service " + key.to_string()};
    return view(*found);
  }
  Timeouts timeouts() const override { return configuration.timeouts(); }
  std::vector<SyncDaemon> sync_daemons() const override { return configuration.sync_daemons(); }

  Configuration configuration;
  std::map<std::string, std::uint32_t> interfaces = {{"lo", 65536}, {"eth0", 1500}};

 private:
  static ServiceView view(const ConfiguredService& of) {
    ServiceView all;
    all.service = of.service;
    for (const auto& destination : of.destinations) all.destinations.emplace_back().destination = destination;
    return all;
  }
};

}  // namespace limpet::ipvs_netlink
