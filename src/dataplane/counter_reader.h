// SPDX-License-Identifier: Apache-2.0
// Reads the per-CPU counters and sums them over the CPUs.
#pragma once

#include <cstdint>
#include <vector>

#include "bpf/abi.h"
#include "dataplane/object.h"
#include "model/view.h"

namespace limpet::dataplane {

class CounterReader {
 public:
  explicit CounterReader(const Object& object);

  // Of a destination, before -Z's baseline is taken off.
  Counters read(std::uint32_t destination) const;
  // Of `count` destinations from `first` on, 1 or higher; empty if they cannot be read.
  std::vector<Counters> read_range(std::uint32_t first, std::uint32_t count) const;
  // Sets a destination's counters to zero. Precondition: no packet counts on it.
  void clear(std::uint32_t destination) const;
  // By enum limpet_event.
  std::uint64_t event(std::uint32_t which) const;

 private:
  int counters_;
  int events_;
  std::size_t cpus_;
  mutable std::vector<limpet_counters> of_cpus_;  // room for one reading: a listing makes thousands
};

Counters to_model(const limpet_counters& counters);
limpet_counters from_model(const Counters& counters);

}  // namespace limpet::dataplane
