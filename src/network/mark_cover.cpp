// SPDX-License-Identifier: Apache-2.0
// Bit by bit: two cubes that differ in nothing but this bit become one that leaves it open.
#include "network/mark_cover.h"

#include <utility>

namespace limpet::network {

std::vector<MarkCube> cover(const std::set<std::uint32_t>& marks) {
  std::set<MarkCube> cubes;
  for (const std::uint32_t mark : marks) cubes.insert({.value = mark});
  for (unsigned bit = 0; bit < 32; ++bit) {
    const std::uint32_t open = std::uint32_t{1} << bit;
    std::set<MarkCube> next;
    // The first half of a pair stands for both.
    for (const MarkCube& cube : cubes) {
      const bool is_second = (cube.value & open) != 0;
      if (is_second && cubes.contains({cube.value & ~open, cube.mask})) continue;
      if (!is_second && cubes.contains({cube.value | open, cube.mask}))
        next.insert({cube.value, cube.mask & ~open});
      else
        next.insert(cube);
    }
    cubes = std::move(next);
  }
  return {cubes.begin(), cubes.end()};
}

}  // namespace limpet::network
