// SPDX-License-Identifier: Apache-2.0
// Draws a server by its weight in two look-ups, however many servers there are: the alias method (Walker, Vose), in
// integers. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "bpf/abi.h"
#include "dataplane/listed_destination.h"

namespace limpet::dataplane {

struct AliasTable {
  std::uint32_t units = 0;  // that are drawn from: the sum of the weights and one; 0: nobody has a weight
  std::uint32_t extra = 0;  // place in the list of the first one with a weight, whose the one is
  // One a place: {first: another place, second: cutoff}. A drawn column is its own place for a unit below the cutoff,
  // else the other one.
  std::vector<limpet_list_entry> columns;
};

// As ip_vs_twos.c draws: a number from 0 to the sum of the weights, and the first server up to which the weights are
// not less; so the first one has a unit more. Sums above 2^31 are scaled down, weights other than 0 to 1 at least.
AliasTable alias_table(const DestinationList& list);

}  // namespace limpet::dataplane
