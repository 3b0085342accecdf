// SPDX-License-Identifier: Apache-2.0
// Persistence templates by names.
#include "dataplane/template_walk.h"

#include "dataplane/clock.h"
#include "dataplane/keys.h"
#include "dataplane/words.h"

namespace limpet::dataplane {

std::optional<std::vector<TemplateRecord>> TemplateWalk::next(std::size_t limit) {
  if (done_) return std::nullopt;
  std::vector<TemplateRecord> piece;
  const std::uint64_t now = ticks_now();
  const std::size_t count = templates_.next(limit);
  done_ = count == 0;
  piece.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const limpet_template4_key& key = templates_.key(i);
    const limpet_template& entry = templates_.value(i);
    const TemplateWord word(entry.word);
    if (!word.is_alive(now)) continue;
    const limpet_destination& destination = object_.destinations[entry.destination];
    const ServiceKey service = service_key(destination.service);
    if (port_of(key.virtual_port) != template_port(service)) continue;
    const std::uint64_t expiry = word.effective_expiry(now);
    piece.push_back({{service,
                      {get_address(destination.address, destination.family), port_of(destination.port)},
                      entry.timeout,
                      entry.mask},
                     Address::ipv4(key.client_network),
                     word.assured,
                     word.extended || expiry != word.expiry,
                     time_left(expiry, now)});
  }
  return piece;
}

}  // namespace limpet::dataplane
