// SPDX-License-Identifier: Apache-2.0
// Firewall marks gathered under masks, so that a hundred marks need no hundred rules. No I/O.
#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <vector>

namespace limpet::network {

// The marks with these bits where the mask has ones: what a rule "fwmark VALUE/MASK" matches.
struct MarkCube {
  std::uint32_t value = 0;
  std::uint32_t mask = 0xffffffff;

  auto operator<=>(const MarkCube&) const = default;
};

// Disjoint cubes that hold these marks and no other one, by value. Runs of marks, and marks that differ in few bits
// (16, 32, 48, …), become a handful; marks without a pattern stay one each.
std::vector<MarkCube> cover(const std::set<std::uint32_t>& marks);

}  // namespace limpet::network
