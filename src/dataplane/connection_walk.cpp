// SPDX-License-Identifier: Apache-2.0
// Lists templates and flows as the administrator sees them.
#include "dataplane/connection_walk.h"

#include "dataplane/clock.h"
#include "dataplane/keys.h"
#include "dataplane/words.h"

namespace limpet::dataplane {

ConnectionWalk::ConnectionWalk(const Object& object)
    : object_(object), flows_(object.map_fd("flows4")), templates_(object.map_fd("templates4")) {}

std::vector<ConnectionView> ConnectionWalk::next(std::size_t limit) {
  std::vector<ConnectionView> piece;
  const std::uint64_t now = ticks_now();
  while (piece.empty() && !(flows_done_ && templates_done_)) {
    if (!flows_done_) {
      const std::size_t count = flows_.next(limit);
      flows_done_ = count == 0;
      for (std::size_t i = 0; i < count; ++i)
        if (FlowWord(flows_.value(i).word).is_alive(now)) piece.push_back(view(flows_.key(i), flows_.value(i), now));
    } else {
      const std::size_t count = templates_.next(limit);
      templates_done_ = count == 0;
      for (std::size_t i = 0; i < count; ++i)
        if (TemplateWord(templates_.value(i).word).is_alive(now))
          piece.push_back(view(templates_.key(i), templates_.value(i), now));
    }
  }
  return piece;
}

ConnectionView ConnectionWalk::view(const limpet_flow4_key& key, const limpet_flow& flow, std::uint64_t now) const {
  const FlowWord word(flow.word);
  const limpet_destination& destination = object_.destinations[flow.destination];
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

ConnectionView ConnectionWalk::view(const limpet_template4_key& key, const limpet_template& entry,
                                    std::uint64_t now) const {
  const TemplateWord word(entry.word);
  const limpet_destination& destination = object_.destinations[entry.destination];
  ConnectionView out;
  out.protocol = static_cast<Protocol>(key.protocol);
  out.is_template = true;
  out.state = word.assured ? "ASSURED" : "NONE";
  out.expires = seconds_left(word.effective_expiry(now), now);
  out.client = Address::ipv4(key.client_network);
  out.virtual_address = Address::ipv4(key.virtual_address);
  out.virtual_port = port_of(key.virtual_port);
  out.destination = get_address(destination.address, destination.family);
  // As ip_vs_sched_persist() fills it: the server's port for a port service, none for port 0 and marks.
  if (key.virtual_port == LIMPET_INVALID_PORT)
    out.destination_port = Port{LIMPET_INVALID_PORT};
  else if (key.virtual_port != 0)
    out.destination_port = destination.port != 0 ? port_of(destination.port) : port_of(key.virtual_port);
  return out;
}

}  // namespace limpet::dataplane
