// SPDX-License-Identifier: Apache-2.0
// The table of our own Maglev scheduler. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bpf/abi.h"
#include "dataplane/hash_key.h"
#include "dataplane/listed_destination.h"

namespace limpet::dataplane {

// A hundred buckets a server or more, up to the largest table. Few sizes, far apart: another size deals everybody anew.
std::uint32_t maglev_bucket_count(std::size_t servers);

// For each bucket the place of its server in `list`; empty if none has a weight. It depends on the servers' addresses,
// ports and weights and on the key, not on the order of the list: two directors agree.
std::vector<limpet_bucket> maglev_table(const DestinationList& list, const HashKey& key);

}  // namespace limpet::dataplane
