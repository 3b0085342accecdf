// SPDX-License-Identifier: Apache-2.0
// Whether a server has reached its connection thresholds, when limpetd changes them; packets and the sweeper judge by
// themselves whenever a connection begins or ends (bpf/overload.h).
#pragma once

#include <cstdint>

#include "bpf/abi.h"

namespace limpet::dataplane {

// Overloaded from `upper` connections on, until there are fewer than `lower`; `lower` 0: than three quarters of
// `upper`; `upper` 0: never. In between it stays as it was (ip_vs_conn.c, ip_vs_dest_update_overload()).
bool is_overloaded(std::uint32_t upper, std::uint32_t lower, std::int64_t connections, bool before);

// Call it when `destination`'s thresholds have been stored. Packets may count and judge at the same time.
void judge_overload(const limpet_destination& destination, limpet_counts& counts);

}  // namespace limpet::dataplane
