// SPDX-License-Identifier: Apache-2.0
// The desired configuration as a value: the services and their destinations, and the rules of IPVS for changing them.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "model/command.h"
#include "model/result.h"
#include "model/service.h"
#include "model/tunables.h"
#include "model/view.h"

namespace limpet {

struct ConfiguredService {
  Service service;
  std::vector<Destination> destinations;  // newest first, as the kernel prepends

  const Destination* find(const DestinationKey& key) const;  // nullptr: none

  bool operator==(const ConfiguredService&) const = default;
};

struct ServiceKeyHash {
  std::size_t operator()(const ServiceKey& key) const;
};

class Configuration {
 public:
  // A list, so that adding in front and removing anywhere cost the same with one service and with ten thousand.
  using Services = std::list<ConfiguredService>;

  Configuration() = default;
  Configuration(const Configuration& other);
  Configuration& operator=(const Configuration& other);
  Configuration(Configuration&&) = default;
  Configuration& operator=(Configuration&&) = default;
  ~Configuration() = default;

  // Whether IPVS would accept `command` now; the error is the first one ip_vs_ctl.c would find. Changes nothing.
  Result<void> check(const Command& command) const;
  // Precondition: check(command) succeeded.
  void apply(const Command& command);
  // The daemon as it would start on an interface with that MTU (nullopt: there is none), or what the kernel would say,
  // which looks at the interface before it asks whether the daemon runs.
  Result<SyncDaemon> ready(const SyncDaemon& daemon, std::optional<std::uint32_t> interface_mtu) const;

  const Services& services() const { return services_; }       // newest first
  const ConfiguredService* find(const ServiceKey& key) const;  // nullptr: none; valid until it is changed or removed
  Configuration without_services() const;                      // what Flush leaves, without a copy of what it takes
  const Timeouts& timeouts() const { return timeouts_; }
  const Tunables& tunables() const { return tunables_; }
  std::vector<SyncDaemon> sync_daemons() const;  // the master first

  bool operator==(const Configuration& other) const {
    return services_ == other.services_ && timeouts_ == other.timeouts_ && tunables_ == other.tunables_ &&
           master_ == other.master_ && backup_ == other.backup_;
  }

 private:
  struct Checker;
  struct Applier;
  const std::optional<SyncDaemon>& sync_daemon(SyncRole role) const {
    return role == SyncRole::master ? master_ : backup_;
  }
  bool mixes_families() const;

  Services services_;
  std::unordered_map<ServiceKey, Services::iterator, ServiceKeyHash> index_;
  Timeouts timeouts_;
  Tunables tunables_;
  std::optional<SyncDaemon> master_;
  std::optional<SyncDaemon> backup_;
};

}  // namespace limpet
