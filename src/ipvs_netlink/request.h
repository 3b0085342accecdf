// SPDX-License-Identifier: Apache-2.0
// What a message of the family "IPVS" asks for, read in the order in which the kernel looks at it (ip_vs_ctl.c,
// ip_vs_genl_set_cmd()), so that of several mistakes the same one is told.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>

#include "ipvs_netlink/wire.h"
#include "model/command.h"

namespace limpet::ipvs_netlink {

struct ListServices {};
struct ListDestinations {
  std::optional<ServiceKey> service;  // nullopt: of one that cannot be there, so an empty list
};
struct ListDaemons {};
struct ShowService {
  ServiceKey key;
};
struct ShowTimeouts {};
struct ShowInfo {};

struct Refused {
  int error = 0;  // errno
};

using Request =
    std::variant<Command, ListServices, ListDestinations, ListDaemons, ShowService, ShowTimeouts, ShowInfo, Refused>;

// The service as it is now, which the kernel looks at while it reads; nullopt: there is none. It is asked for seldom.
using FindService = std::function<std::optional<Service>(const ServiceKey&)>;

// `dump`: both bits of NLM_F_DUMP are set. Whether the family has such a command: to others the kernel says EOPNOTSUPP
// before it asks for rights.
bool is_operation(std::uint8_t command, bool dump);
// `attributes`: what follows the header of generic netlink.
Request read_request(std::uint8_t command, bool dump, ByteView attributes, const FindService& find);

}  // namespace limpet::ipvs_netlink
