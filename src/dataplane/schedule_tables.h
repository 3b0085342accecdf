// SPDX-License-Identifier: Apache-2.0
// The tables of the schedulers that hash: which server's each bucket is. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bpf/abi.h"
#include "dataplane/hash_key.h"
#include "dataplane/listed_destination.h"

namespace limpet::dataplane {

// How many buckets `scheduler` has for as many servers; 0: it has no table.
std::uint32_t bucket_count(limpet_scheduler scheduler, std::size_t servers);

// For each bucket the place of its server in `list`. Empty: there is no table, or no server to fill it. `key` is for
// maglev alone. Precondition: at most LIMPET_MOST_PLACES servers.
std::vector<limpet_bucket> schedule_table(limpet_scheduler scheduler, const DestinationList& list, const HashKey& key);

}  // namespace limpet::dataplane
