// SPDX-License-Identifier: Apache-2.0
// Reads the per-CPU counters and sums them over the CPUs.
#include "dataplane/counter_reader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>

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
      cpus_(static_cast<std::size_t>(libbpf_num_possible_cpus())),
      of_cpus_(cpus_) {}

Counters CounterReader::read(std::uint32_t destination) const {
  Counters sum;
  if (::bpf_map_lookup_elem(counters_, &destination, of_cpus_.data()) != 0) return sum;
  for (const limpet_counters& c : of_cpus_) sum += to_model(c);
  return sum;
}

std::vector<Counters> CounterReader::read_range(std::uint32_t first, std::uint32_t count) const {
  std::vector<std::uint32_t> keys(count);
  std::vector<limpet_counters> values(count * cpus_);
  std::uint32_t before = first - 1;  // a batch begins behind the key it is given
  std::uint32_t last = 0;
  std::uint32_t found = count;
  const int error = ::bpf_map_lookup_batch(counters_, &before, &last, keys.data(), values.data(), &found, nullptr);
  if ((error != 0 && error != -ENOENT) || found != count) return {};
  std::vector<Counters> sums(count);
  for (std::size_t i = 0; i < values.size(); ++i) sums[i / cpus_] += to_model(values[i]);
  return sums;
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
