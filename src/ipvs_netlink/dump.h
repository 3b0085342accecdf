// SPDX-License-Identifier: Apache-2.0
// Long answers, a datagram at a time: what is not yet taken is not yet made.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "director/director.h"
#include "ipvs_netlink/wire.h"

namespace limpet::ipvs_netlink {

class Dump {
 public:
  virtual ~Dump() = default;
  // The next datagram, the last of which ends with NLMSG_DONE; nullopt: there is no more.
  virtual std::optional<Bytes> next() = 0;
};

// Of the request that is answered.
struct Origin {
  std::uint32_t sequence = 0;
  std::uint32_t port = 0;
};

std::unique_ptr<Dump> dump_services(Director& director, Origin origin);
// The service as it is now; nullopt: an empty list, as of one that is not there.
std::unique_ptr<Dump> dump_destinations(std::optional<ServiceView> service, Origin origin);
std::unique_ptr<Dump> dump_daemons(std::vector<SyncDaemon> daemons, Origin origin);

}  // namespace limpet::ipvs_netlink
