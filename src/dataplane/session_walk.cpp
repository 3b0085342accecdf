// SPDX-License-Identifier: Apache-2.0
// Lists templates and flows with why they are where they are.
#include "dataplane/session_walk.h"

#include <cstring>
#include <utility>

#include "dataplane/connection_walk.h"
#include "dataplane/keys.h"

namespace limpet::dataplane {
namespace {

// That opened it. Only a mark service lets connections go past its servers.
limpet_service_key service_of(const limpet_flow& flow, const limpet_destination& destination) {
  return flow.destination == LIMPET_BYPASS ? service_key(ServiceKey::of_mark(Mark{flow.mark}, Family::ipv4))
                                           : destination.service;
}

}  // namespace

SessionMatch::SessionMatch(const Object& object, const SessionFilter& filter) : object_(object), filter_(filter) {
  if (filter.client) {
    nothing_ = filter.client->address.family() != Family::ipv4;
    if (nothing_) return;
    client_ = filter.client->address.ipv4_network_order();
    client_mask_ = filter.client->ipv4_mask();
  }
  if (filter.service) service_ = service_key(*filter.service);
}

// `mask`: how much of the client's address an entry knows.
bool SessionMatch::wants_client(std::uint32_t client, std::uint32_t mask) const {
  return ((client ^ client_) & client_mask_ & mask) == 0;
}

bool SessionMatch::wants_service(const limpet_service_key& service) const {
  return !service_ || std::memcmp(&*service_, &service, sizeof(service)) == 0;
}

bool SessionMatch::wants_server(const limpet_destination& destination) const {
  return !filter_.server || filter_.server->address == get_address(destination.address, destination.family);
}

bool SessionMatch::wants_port(Port port) const {
  return !filter_.server || !filter_.server->port || *filter_.server->port == port;
}

bool SessionMatch::wants(const limpet_flow4_key& key, const limpet_flow& flow) const {
  const limpet_destination& destination = object_.destinations[flow.destination];
  return wants_client(key.client_address, ~0U) && wants_service(service_of(flow, destination)) &&
         wants_server(destination) && wants_port(port_of(flow.destination_port));
}

bool SessionMatch::wants(const limpet_template4_key& key, const limpet_template& entry) const {
  const limpet_destination& destination = object_.destinations[entry.destination];
  return wants_client(key.client_network, entry.mask) && wants_service(destination.service) &&
         wants_server(destination) && wants_port(template_server_port(key, destination));
}

std::optional<std::vector<SessionView>> SessionWalk::next(std::size_t limit) {
  if (filter_.is_empty()) return std::nullopt;
  std::vector<SessionView> piece;
  const auto visit = [&](const auto& key, const auto& value, std::uint64_t now) {
    if (filter_.wants(key, value)) show(key, value, now, piece);
  };
  if (!walk_.next(limit, visit, visit)) return std::nullopt;
  return piece;
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
  const limpet_destination& destination = object_.destinations[flow.destination];
  SessionView out = view(destination);
  out.service = service_key(service_of(flow, destination));
  out.server_removed &= flow.destination != LIMPET_BYPASS;
  out.connection = connection_view(object_, key, flow, now);
  out.method = static_cast<ForwardingMethod>(flow.method);
  if (flow.template_kind != LIMPET_TEMPLATE_NONE)
    out.network = ipv4_network_text(out.connection.client, flow.template_mask);
  piece.push_back(std::move(out));
}

void SessionWalk::show(const limpet_template4_key& key, const limpet_template& entry, std::uint64_t now,
                       std::vector<SessionView>& piece) {
  SessionView out = view(object_.destinations[entry.destination]);
  out.connection = connection_view(object_, key, entry, now);
  out.network = ipv4_network_text(out.connection.client, entry.mask);
  out.controlled = TemplateWord(entry.word).controlled;
  piece.push_back(std::move(out));
}

}  // namespace limpet::dataplane
