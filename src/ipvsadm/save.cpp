// SPDX-License-Identifier: Apache-2.0
// Services and servers as ipvsadm commands.
#include "ipvsadm/save.h"

#include <vector>

#include "ipvsadm/endpoint_text.h"
#include "ipvsadm/mask_text.h"
#include "ipvsadm/order.h"
#include "ipvsadm/values.h"

namespace limpet::ipvsadm {
namespace {

std::string method_option(ForwardingMethod method) {
  switch (method) {
    case ForwardingMethod::masq:
      return " -m";
    case ForwardingMethod::tunnel:
      return " -i";
    case ForwardingMethod::local:  // there is no option for it; on a local address -g comes to the same
    case ForwardingMethod::route:
      break;
  }
  return " -g";
}

std::string tunnel_options(const Destination& destination) {
  if (destination.method != ForwardingMethod::tunnel) return "";
  const auto& tunnel = destination.tunnel;
  if (tunnel.type == TunnelType::ipip) return " --tun-type ipip";
  const std::string checksum = tunnel.flags == 0   ? " --tun-nocsum"
                               : tunnel.flags == 1 ? " --tun-csum"
                                                   : " --tun-remcsum";
  if (tunnel.type == TunnelType::gre) return " --tun-type gre" + checksum;
  return " --tun-type gue --tun-port " + std::to_string(tunnel.port.value) + checksum;
}

std::string threshold_options(const Destination& destination) {
  std::string text;
  if (destination.upper_threshold != 0) text += " -x " + std::to_string(destination.upper_threshold);
  if (destination.lower_threshold != 0) text += " -y " + std::to_string(destination.lower_threshold);
  return text;
}

std::string service_options(const Service& service) {
  std::string text = " -s " + service.scheduler;
  if (service.persistent) {
    text += " -p " + std::to_string(service.timeout);
    if (const auto mask = mask_text(service)) text += " -M " + *mask;
  }
  if (!service.persistence_engine.empty()) text += " --pe " + service.persistence_engine;
  if (service.one_packet) text += " -o";
  if (const auto flags = scheduler_flags_to_string(service.scheduler_flags, service.scheduler); !flags.empty()) {
    text += " -b " + flags;
  }
  return text;
}

}  // namespace

std::string saved_server(const ServiceKey& service, const Destination& server, bool numeric, const Names& names,
                         const Dialect& dialect) {
  return service_option_text(service, numeric, names, dialect) + " -r " +
         endpoint_text(server.key.address, server.key.port, service.protocol, numeric, names) +
         method_option(server.method) + " -w " + std::to_string(server.weight) +
         (dialect.saves_thresholds ? threshold_options(server) : "") + tunnel_options(server);
}

std::string saved_service(const ServiceView& view, bool numeric, const Names& names, const Dialect& dialect) {
  const auto& key = view.service.key;
  const auto name = service_option_text(key, numeric, names, dialect);
  std::string text = "-A " + name + service_options(view.service) + "\n";

  std::vector<const DestinationView*> servers;
  for (const auto& server : view.destinations) servers.push_back(&server);
  sort_destinations(servers, dialect);
  for (const auto* server : servers)
    text += "-a " + saved_server(key, server->destination, numeric, names, dialect) + "\n";
  return text;
}

}  // namespace limpet::ipvsadm
