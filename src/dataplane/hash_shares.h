// SPDX-License-Identifier: Apache-2.0
// How much of what a hashing scheduler hashes another list of servers would lead elsewhere. Pure.
#pragma once

#include <optional>

#include "dataplane/hash_key.h"
#include "dataplane/listed_destination.h"
#include "model/configuration.h"
#include "model/foresight.h"

namespace limpet::dataplane {

// `last_weight` tells the last weight other than 0 that a server of weight 0 has had (ListedDestination).
template <class LastWeight>
DestinationList listed(const ConfiguredService& service, LastWeight last_weight) {
  DestinationList list;
  for (const Destination& d : service.destinations)
    list.push_back({0, d.weight, d.weight != 0 ? d.weight : last_weight(d.key), d.key.address, d.key.port});
  return list;
}

// nullopt: the scheduler does not hash, or is another one afterwards. `key`: maglev's.
std::optional<HashShares> hash_shares(const Service& before, const DestinationList& servers_before,
                                      const Service& after, const DestinationList& servers_after, const HashKey& key);

}  // namespace limpet::dataplane
