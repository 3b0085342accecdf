// SPDX-License-Identifier: Apache-2.0
// The claim words of flows and templates, read (bpf/abi.h, Claim words).
#pragma once

#include <cstdint>

#include "bpf/abi.h"

namespace limpet::dataplane {

struct FlowWord {
  explicit FlowWord(std::uint64_t word)
      : life(word & LIMPET_LIFE_MASK),
        state(static_cast<unsigned>((word >> LIMPET_FLOW_STATE_SHIFT) & LIMPET_FLOW_STATE_MASK)),
        packets(static_cast<unsigned>((word >> LIMPET_FLOW_PACKETS_SHIFT) & LIMPET_FLOW_PACKETS_MASK)),
        expiry(word >> LIMPET_FLOW_EXPIRY_SHIFT) {}

  bool is_alive(std::uint64_t now) const { return life == LIMPET_LIFE_ALIVE && expiry > now; }

  std::uint64_t life;
  unsigned state;
  unsigned packets;      // from the client, up to LIMPET_FLOW_PACKETS_MANY; 0: not counted
  std::uint64_t expiry;  // ticks
};

struct TemplateWord {
  explicit TemplateWord(std::uint64_t word)
      : life(word & LIMPET_LIFE_MASK),
        assured((word & LIMPET_TEMPLATE_ASSURED) != 0),
        extended((word & LIMPET_TEMPLATE_EXTENDED) != 0),
        controlled(static_cast<std::uint32_t>((word >> LIMPET_TEMPLATE_COUNT_SHIFT) & LIMPET_TEMPLATE_COUNT_MASK)),
        expiry(word >> LIMPET_TEMPLATE_EXPIRY_SHIFT) {}

  bool is_alive(std::uint64_t now) const { return life == LIMPET_LIFE_ALIVE && (expiry > now || controlled != 0); }
  // While it controls flows, an expired template is prolonged by 60 s, as often as needed (ip_vs_conn_expire()).
  std::uint64_t effective_expiry(std::uint64_t now) const {
    constexpr std::uint64_t kExtension = LIMPET_SECONDS_TO_TICKS(LIMPET_TEMPLATE_EXTENSION_SECONDS);
    if (expiry > now || controlled == 0) return expiry;
    return expiry + ((now - expiry) / kExtension + 1) * kExtension;
  }

  std::uint64_t life;
  bool assured;
  bool extended;
  std::uint32_t controlled;  // flows
  std::uint64_t expiry;      // ticks
};

// The word of a living template that controls no flows.
inline std::uint64_t template_word(std::uint64_t expiry, bool assured, bool extended) {
  return expiry << LIMPET_TEMPLATE_EXPIRY_SHIFT | (assured ? LIMPET_TEMPLATE_ASSURED : 0) |
         (extended ? LIMPET_TEMPLATE_EXTENDED : 0) | LIMPET_LIFE_ALIVE;
}

}  // namespace limpet::dataplane
