// SPDX-License-Identifier: Apache-2.0
// What is published of a service, as a range of the map `lists` (bpf/abi.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bpf/abi.h"
#include "dataplane/hash_key.h"
#include "dataplane/listed_destination.h"
#include "dataplane/schedule_cursor.h"

namespace limpet::dataplane {

struct Scheduling {
  limpet_scheduler scheduler = LIMPET_RR;
  std::uint32_t flags = 0;  // LIMPET_SERVICE_SCHEDULER_FLAGS
  HashKey key{};            // of maglev; all others have none
};

// Whether it hashes. Such schedulers read their flags of the range; others have none.
bool has_table(limpet_scheduler scheduler);

// Entries, the header and the scheduler's table included.
std::uint32_t range_length(limpet_scheduler scheduler, std::size_t destinations);

// The key in a range of maglev.
HashKey key_of_range(std::span<const limpet_list_entry> range);

// `start`: where rr and wrr begin.
std::vector<limpet_list_entry> list_range(const Scheduling& scheduling, CursorStart start, const DestinationList& list);

}  // namespace limpet::dataplane
