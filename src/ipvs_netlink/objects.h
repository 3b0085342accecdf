// SPDX-License-Identifier: Apache-2.0
// Services, destinations and synchronisation daemons as nested attributes: read from a request, written to an answer.
#pragma once

#include <optional>
#include <variant>

#include "ipvs_netlink/request.h"
#include "ipvs_netlink/wire.h"
#include "model/service.h"
#include "model/sync_daemon.h"
#include "model/view.h"

namespace limpet::ipvs_netlink {

struct NamedService {
  ServiceKey key;
  Service service;     // only of read_service()
  bool can_be = true;  // false: of a protocol for which there are no services
};

// Each reads the attribute's content; nullopt: the attribute is missing.
std::variant<NamedService, Refused> read_service_name(const std::optional<ByteView>& attribute);
std::variant<NamedService, Refused> read_service(const std::optional<ByteView>& attribute, const FindService& find);
// `complete`: more than the name is needed.
std::variant<Destination, Refused> read_destination(const std::optional<ByteView>& attribute, Family of_service,
                                                    bool complete);
std::variant<SyncRole, Refused> read_daemon_role(const std::optional<ByteView>& attribute);
std::variant<SyncDaemon, Refused> read_daemon(const std::optional<ByteView>& attribute);

// As ip_vs_genl_fill_service() and its like.
void write_service(Writer& to, const ServiceView& view);
void write_destination(Writer& to, const DestinationView& view);
void write_daemon(Writer& to, const SyncDaemon& daemon);

}  // namespace limpet::ipvs_netlink
