// SPDX-License-Identifier: Apache-2.0
#include "row.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace limpet::bench {
namespace {

using packet::Door;
using packet::Verdict;

constexpr std::uint32_t kPackets = 131072;  // in one run, unless there are more clients
constexpr std::uint32_t kOpened = 16384;

packet::Ceilings ceilings_for(const RowSpec& spec) {
  const std::uint32_t flows = std::max(65536U, spec.clients.count);
  return {flows, flows, flows};
}

// What the kernel's allocator holds for small pieces of no special kind, map elements among them. (The sum in
// /proc/meminfo has the file caches in it, which a compiler next door moves more than a million connections do.)
double slab_bytes() {
  std::ifstream file("/proc/slabinfo");
  double bytes = 0;
  // NAME <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables … : slabdata <active_slabs>
  // <num_slabs>
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("kmalloc-")) continue;
    double pages_a_slab = 0;
    double slabs = 0;
    if (std::sscanf(line.c_str(), "%*s %*s %*s %*s %*s %lf : tunables %*s %*s %*s : slabdata %*s %lf", &pages_a_slab,
                    &slabs) == 2)
      bytes += slabs * pages_a_slab * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
  return bytes;
}

// Freed elements go back when every CPU has moved on and a worker has found the time.
double settled_slab_bytes() {
  constexpr double kStill = 1e6;
  constexpr int kTries = 100;
  constexpr int kStillFor = 10;
  double last = slab_bytes();
  for (int i = 0, still = 0; i < kTries && still < kStillFor; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const double now = slab_bytes();
    still = std::abs(now - last) < kStill ? still + 1 : 0;
    last = now;
  }
  return last;
}

}  // namespace

Row::Row(const RowSpec& spec)
    : spec_(spec),
      plane_(ceilings_for(spec), spec.door),
      tables_(plane_),
      driver_(spec.door, spec.measured, spec.clients, spec.reply) {
  if (!spec_.opens) driver_.fill_floor();
  tables_.reset();
  if (spec_.serve) spec_.serve(tables_);
  if (spec_.before.empty()) return;
  // Replies' clients come in the other way round.
  Driver opening(spec_.door, spec_.before.front(), spec_.clients, false);
  opening.test(plane_.program(spec_.door));
  for (const packet::Packet& step : spec_.before) {
    opening.send(step);
    opening.everyone_once(Verdict::kSent);
  }
}

std::uint32_t Row::packets() const { return spec_.opens ? kOpened : std::max(kPackets, spec_.clients.count); }

double Row::run_floor() {
  driver_.test(spec_.floor);
  const double time = driver_.run(packets(), Verdict::kSent);
  if (spec_.opens) driver_.clear_floor();
  return time;
}

double Row::run_door() {
  driver_.test(plane_.program(spec_.door));
  // Next hops and local addresses are looked up once a second: not in the few packets of a run.
  if (!spec_.opens) driver_.run(1024, spec_.verdict);
  const double time = driver_.run(packets(), spec_.verdict);
  if (spec_.opens) empty_tables();
  return time;
}

void Row::empty_tables() {
  const std::size_t flows = tables_.flows().size();
  if (flows != packets())
    throw std::runtime_error(spec_.name + ": " + std::to_string(flows) + " connections were opened instead of " +
                             std::to_string(packets()));
  clear_hash(plane_.map("flows4").descriptor(), sizeof(limpet_flow4_key), sizeof(limpet_flow));
  clear_hash(plane_.map("reverse4").descriptor(), sizeof(limpet_reverse4_key), sizeof(limpet_reverse));
  if (spec_.before.empty())
    clear_hash(plane_.map("templates4").descriptor(), sizeof(limpet_template4_key), sizeof(limpet_template));
}

double Row::bytes_per_connection() {
  driver_.test(plane_.program(spec_.door));
  const double before = settled_slab_bytes();
  driver_.everyone_once(spec_.verdict);
  return (settled_slab_bytes() - before) / spec_.clients.count;
}

}  // namespace limpet::bench
