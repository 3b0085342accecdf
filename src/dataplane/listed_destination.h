// SPDX-License-Identifier: Apache-2.0
// A service's destinations as its schedulers see them.
#pragma once

#include <cstdint>
#include <vector>

#include "model/address.h"

namespace limpet::dataplane {

struct ListedDestination {
  std::uint32_t id = 0;
  std::uint32_t weight = 0;
  std::uint32_t last_weight = 0;  // the last one other than 0 since it was added; 0: there was none
  Address address{};
  Port port{};
  bool operator==(const ListedDestination&) const = default;
};
using DestinationList = std::vector<ListedDestination>;  // the kernel's order: the last one added first

}  // namespace limpet::dataplane
