// SPDX-License-Identifier: Apache-2.0
// Reads the per-CPU counters and sums them over the CPUs.
#include "dataplane/counter_reader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace limpet::dataplane {

Counters to_model(const limpet_counters& c) {
  return {c.connections, c.in_packets, c.out_packets, c.in_bytes, c.out_bytes};
}

limpet_counters from_model(const Counters& c) {
  return {c.connections, c.in_packets, c.out_packets, c.in_bytes, c.out_bytes};
}

CounterReader::CounterReader(const Object& object)
    : counters_(object.map_fd("counters")),
      events_(object.map_fd("events")),
      cpus_(static_cast<std::size_t>(libbpf_num_possible_cpus())) {}

Counters CounterReader::read(std::uint32_t destination) const {
  std::vector<limpet_counters> values(cpus_);
  Counters sum;
  if (::bpf_map_lookup_elem(counters_, &destination, values.data()) != 0) return sum;
  for (const limpet_counters& c : values) sum += to_model(c);
  return sum;
}

void CounterReader::clear(std::uint32_t destination) const {
  const std::vector<limpet_counters> zero(cpus_);
  ::bpf_map_update_elem(counters_, &destination, zero.data(), BPF_ANY);
}

std::uint64_t CounterReader::event(std::uint32_t which) const {
  std::vector<std::uint64_t> values(cpus_);
  std::uint64_t sum = 0;
  if (::bpf_map_lookup_elem(events_, &which, values.data()) != 0) return 0;
  for (const std::uint64_t value : values) sum += value;
  return sum;
}

}  // namespace limpet::dataplane
