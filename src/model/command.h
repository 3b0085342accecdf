// SPDX-License-Identifier: Apache-2.0
// Every change an administrator can ask for, as a value: the HTTP API, the IPVS netlink server and the journal all
// speak these, and Configuration::apply is the only thing that carries them out.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "model/service.h"
#include "model/sync_daemon.h"
#include "model/tunables.h"
#include "model/view.h"

namespace limpet {

struct AddService {
  Service service;
};
struct EditService {
  Service service;
};  // replaces everything but the key
struct DeleteService {
  ServiceKey key;
};
struct Flush {};  // -C: all services; connections and templates stay, as in IPVS
struct AddDestination {
  ServiceKey service;
  Destination destination;
};
struct EditDestination {
  ServiceKey service;
  Destination destination;
};  // replaces everything but the key
struct DeleteDestination {
  ServiceKey service;
  DestinationKey destination;
};
struct SetTimeouts {
  Timeouts timeouts;
};  // a 0 leaves that timeout as it is
struct SetTunables {
  std::vector<Setting> settings;
};  // all or none
struct Zero {
  std::optional<ServiceKey> service;
};  // -Z; without a service: all counters
struct StartSyncDaemon {
  SyncDaemon daemon;
};
struct StopSyncDaemon {
  SyncRole role = SyncRole::master;
};

using Command = std::variant<AddService, EditService, DeleteService, Flush, AddDestination, EditDestination,
                             DeleteDestination, SetTimeouts, SetTunables, Zero, StartSyncDaemon, StopSyncDaemon>;

}  // namespace limpet
