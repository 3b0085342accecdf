// SPDX-License-Identifier: Apache-2.0
// Connections and templates by what a change would do to them.
#include "dataplane/foresight_walk.h"

#include "dataplane/keys.h"
#include "model/template_record.h"

namespace limpet::dataplane {

const Foresight::Bound& ForesightWalk::bound(std::uint32_t destination) {
  const auto [place, is_new] = bound_.try_emplace(destination);
  if (is_new) {
    const limpet_destination& d = object_.destinations[destination];
    place->second = foresight_.bound(service_key(d.service), {get_address(d.address, d.family), port_of(d.port)});
  }
  return place->second;
}

bool ForesightWalk::next(std::size_t limit) {
  const auto flow = [this](const limpet_flow4_key& key, const limpet_flow& value, std::uint64_t now) {
    if (value.destination == LIMPET_BYPASS) return;  // past the servers, whatever becomes of these
    foresight_.add_connection(bound(value.destination), static_cast<Protocol>(key.protocol),
                              {Address::ipv4(key.virtual_address), port_of(key.virtual_port)},
                              seconds_left(FlowWord(value.word).expiry, now));
  };
  const auto entry = [this](const limpet_template4_key& key, const limpet_template& value, std::uint64_t now) {
    const Foresight::Bound& to = bound(value.destination);
    if (port_of(key.virtual_port) != template_port(to.key())) return;  // given up
    foresight_.add_client(to, key.client_network, value.mask,
                          seconds_left(TemplateWord(value.word).effective_expiry(now), now));
  };
  return walk_.next(limit, flow, entry);
}

}  // namespace limpet::dataplane
