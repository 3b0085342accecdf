// SPDX-License-Identifier: Apache-2.0
// A synchronisation daemon: what two directors would tell each other of their connections, and where. The traffic
// itself is still to come; who asked for it is kept and listed.
#pragma once

#include <cstdint>
#include <string>

#include "model/address.h"

namespace limpet {

enum class SyncRole : std::uint8_t { master = 1, backup = 2 };  // IP_VS_STATE_*

inline const Address kSyncGroup = *Address::parse("224.0.0.81");

struct SyncDaemon {
  SyncRole role = SyncRole::master;
  std::string interface = "eth0";
  std::uint8_t sync_id = 0;
  std::uint16_t max_length = 0;  // of a message in bytes; 0 in a request: what fits the interface
  Address group = kSyncGroup;
  Port port{8848};
  std::uint8_t ttl = 1;

  bool operator==(const SyncDaemon&) const = default;
};

}  // namespace limpet
