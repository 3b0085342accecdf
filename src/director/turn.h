// SPDX-License-Identifier: Apache-2.0
// What long work takes of the event loop before others get a turn.
#pragma once

#include <chrono>

namespace limpet {

// A quarter of the 20 ms for which nothing may hold the loop: one item more always fits.
class Turn {
 public:
  bool over() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
};

}  // namespace limpet
