// SPDX-License-Identifier: Apache-2.0
// Lists templates and flows with why they are where they are.
#include "dataplane/session_walk.h"

#include <cstring>
#include <utility>

#include "dataplane/connection_walk.h"
#include "dataplane/keys.h"

namespace limpet::dataplane {

SessionWalk::SessionWalk(const Object& object, const SessionFilter& filter)
    : object_(object), filter_(filter), walk_(object) {
  if (filter.client) {
    nothing_ = filter.client->address.family() != Family::ipv4;
    if (nothing_) return;
    client_ = filter.client->address.ipv4_network_order();
    client_mask_ = filter.client->ipv4_mask();
  }
  if (filter.service) service_ = service_key(*filter.service);
}

std::optional<std::vector<SessionView>> SessionWalk::next(std::size_t limit) {
  if (nothing_) return std::nullopt;
  std::vector<SessionView> piece;
  const auto visit = [&](const auto& key, const auto& value, std::uint64_t now) { show(key, value, now, piece); };
  if (!walk_.next(limit, visit, visit)) return std::nullopt;
  return piece;
}

// `mask`: how much of the client's address an entry knows.
bool SessionWalk::wants_client(std::uint32_t client, std::uint32_t mask) const {
  return ((client ^ client_) & client_mask_ & mask) == 0;
}

bool SessionWalk::wants_destination(const limpet_destination& destination) const {
  if (service_ && std::memcmp(&*service_, &destination.service, sizeof(*service_)) != 0) return false;
  return !filter_.server || filter_.server->address == get_address(destination.address, destination.family);
}

bool SessionWalk::wants_port(Port port) const {
  return !filter_.server || !filter_.server->port || *filter_.server->port == port;
}

SessionView SessionWalk::view(const limpet_destination& destination) const {
  SessionView out;
  out.service = service_key(destination.service);
  out.method = static_cast<ForwardingMethod>(destination.method);
  out.server_removed = (destination.flags & LIMPET_DESTINATION_AVAILABLE) == 0;
  return out;
}

void SessionWalk::show(const limpet_flow4_key& key, const limpet_flow& flow, std::uint64_t now,
                       std::vector<SessionView>& piece) {
  if (!wants_client(key.client_address, ~0U)) return;
  const limpet_destination& destination = object_.destinations[flow.destination];
  if (!wants_destination(destination) || !wants_port(port_of(flow.destination_port))) return;
  SessionView out = view(destination);
  out.connection = connection_view(object_, key, flow, now);
  out.method = static_cast<ForwardingMethod>(flow.method);
  if (flow.template_kind != LIMPET_TEMPLATE_NONE)
    out.network = ipv4_network_text(out.connection.client, flow.template_mask);
  piece.push_back(std::move(out));
}

void SessionWalk::show(const limpet_template4_key& key, const limpet_template& entry, std::uint64_t now,
                       std::vector<SessionView>& piece) {
  if (!wants_client(key.client_network, entry.mask)) return;
  const limpet_destination& destination = object_.destinations[entry.destination];
  if (!wants_destination(destination)) return;
  SessionView out = view(destination);
  out.connection = connection_view(object_, key, entry, now);
  if (!wants_port(out.connection.destination_port)) return;
  out.network = ipv4_network_text(out.connection.client, entry.mask);
  out.controlled = TemplateWord(entry.word).controlled;
  piece.push_back(std::move(out));
}

}  // namespace limpet::dataplane
