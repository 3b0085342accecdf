// SPDX-License-Identifier: Apache-2.0
// The checks across options, once all of them are known.
#include <cstdint>
#include <string>
#include <variant>

#include "ipvsadm/draft.h"
#include "ipvsadm/values.h"

namespace limpet::ipvsadm {
namespace {

// Which options a tunnel type takes: in the order of ipvsadm's own table.
Checked check_tunnel(const Draft& draft) {
  constexpr Option kTunnelOptions[] = {Option::tun_port, Option::tun_nocsum, Option::tun_csum, Option::tun_remcsum};
  const auto type = draft.destination.tunnel.type;
  const std::string name = type == TunnelType::ipip ? "ipip" : type == TunnelType::gue ? "gue" : "gre";
  std::optional<Option> checksum;
  for (const auto option : kTunnelOptions) {
    const auto quoted = "'" + std::string(option_name(option)) + "'";
    const bool is_port = option == Option::tun_port;
    if (!draft.options.has(option)) {
      if (is_port && type == TunnelType::gue) {
        return fail("You need to supply the " + quoted + " option for the '" + name + "' tunnel type");
      }
      continue;
    }
    const bool legal =
        type == TunnelType::gue || (type == TunnelType::gre && !is_port && option != Option::tun_remcsum);
    if (!legal) return fail("Illegal " + quoted + " option with the '" + name + "' tunnel type");
    if (is_port) continue;
    if (checksum) {
      return fail("The option " + quoted + " conflicts with the '" + std::string(option_name(*checksum)) +
                  "' option in the '" + name + "' tunnel type");
    }
    checksum = option;
  }
  return std::nullopt;
}

}  // namespace

Checked finish_scheduler_flags(Draft& draft) {
  const auto flags = scheduler_flags(draft.scheduler_flags, draft.service.scheduler);
  if (const auto* failure = std::get_if<ParseFailure>(&flags)) return *failure;
  draft.service.scheduler_flags = std::get<std::uint32_t>(flags);
  return std::nullopt;
}

Checked finish_service(Draft& draft) {
  auto& service = draft.service;
  if (service.scheduler.empty()) service.scheduler = "wlc";
  service.key = draft.key();
  if (service.key.is_mark()) return std::nullopt;
  if (service.key.port.value == 0 && !service.persistent) return fail("Zero port specified for non-persistent service");
  if (service.one_packet && service.key.protocol != Protocol::udp) {
    return fail("One-Packet Scheduling is only for UDP virtual services");
  }
  return std::nullopt;
}

Checked finish_destination(Draft& draft) {
  auto& destination = draft.destination;
  const bool tunnel = destination.method == ForwardingMethod::tunnel;
  // Direct routing and tunnels cannot change a port, so a server has the service's, whatever was asked for.
  if (draft.mark.value == 0 && destination.method != ForwardingMethod::masq) destination.key.port = draft.port;

  if (destination.key.address.family() != draft.family && !tunnel) {
    return fail("Different address family is allowed only for tunneling servers");
  }
  if (tunnel) return check_tunnel(draft);
  for (const auto option :
       {Option::tun_type, Option::tun_port, Option::tun_nocsum, Option::tun_csum, Option::tun_remcsum}) {
    if (draft.options.has(option)) return fail("Tunnel options conflict with forward method");
  }
  return std::nullopt;
}

}  // namespace limpet::ipvsadm
