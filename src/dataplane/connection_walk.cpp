// SPDX-License-Identifier: Apache-2.0
// Lists templates and flows as the administrator sees them.
#include "dataplane/connection_walk.h"

#include "dataplane/keys.h"

namespace limpet::dataplane {

std::optional<std::vector<ConnectionView>> ConnectionWalk::next(std::size_t limit) {
  std::vector<ConnectionView> piece;
  const auto show = [&](const auto& key, const auto& value, std::uint64_t now) {
    piece.push_back(connection_view(object_, key, value, now));
  };
  if (!walk_.next(limit, show, show)) return std::nullopt;
  return piece;
}

ConnectionView connection_view(const Object& object, const limpet_flow4_key& key, const limpet_flow& flow,
                               std::uint64_t now) {
  const FlowWord word(flow.word);
  const limpet_destination& destination = object.destinations[flow.destination];
  ConnectionView out;
  out.protocol = static_cast<Protocol>(key.protocol);
  out.state =
      out.protocol == Protocol::tcp ? tcp_state_name(static_cast<TcpState>(word.state)) : protocol_name(out.protocol);
  out.expires = seconds_left(word.expiry, now);
  out.client = Address::ipv4(key.client_address);
  out.client_port = port_of(key.client_port);
  out.virtual_address = Address::ipv4(key.virtual_address);
  out.virtual_port = port_of(key.virtual_port);
  out.destination = get_address(destination.address, destination.family);
  out.destination_port = port_of(flow.destination_port);
  return out;
}

ConnectionView connection_view(const Object& object, const limpet_template4_key& key, const limpet_template& entry,
                               std::uint64_t now) {
  const TemplateWord word(entry.word);
  const limpet_destination& destination = object.destinations[entry.destination];
  ConnectionView out;
  out.protocol = static_cast<Protocol>(key.protocol);
  out.is_template = true;
  out.state = word.assured ? "ASSURED" : "NONE";
  out.expires = seconds_left(word.effective_expiry(now), now);
  out.client = Address::ipv4(key.client_network);
  out.virtual_address = Address::ipv4(key.virtual_address);
  out.virtual_port = port_of(key.virtual_port);
  out.destination = get_address(destination.address, destination.family);
  out.destination_port = template_server_port(key, destination);
  return out;
}

Port template_server_port(const limpet_template4_key& key, const limpet_destination& destination) {
  if (key.virtual_port == LIMPET_INVALID_PORT) return Port{LIMPET_INVALID_PORT};
  if (key.virtual_port == 0) return {};
  return destination.port != 0 ? port_of(destination.port) : port_of(key.virtual_port);
}

}  // namespace limpet::dataplane
