// SPDX-License-Identifier: Apache-2.0
// The data plane's clock: ticks of CLOCK_MONOTONIC (bpf/abi.h, Time).
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

#include "bpf/abi.h"

namespace limpet::dataplane {

inline std::uint64_t ticks_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return (static_cast<std::uint64_t>(now.tv_sec) * LIMPET_SECOND_NS + static_cast<std::uint64_t>(now.tv_nsec)) >>
         LIMPET_TICK_SHIFT;
}

// That this thread has used.
inline std::chrono::nanoseconds cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

inline std::chrono::milliseconds time_left(std::uint64_t expiry, std::uint64_t now) {
  constexpr std::uint64_t kMillisecondNs = 1000000;
  if (expiry <= now) return {};
  return std::chrono::milliseconds(((expiry - now) << LIMPET_TICK_SHIFT) / kMillisecondNs);
}

inline std::uint64_t ticks_of(std::chrono::milliseconds time) {
  constexpr std::uint64_t kMillisecondNs = 1000000;
  return (static_cast<std::uint64_t>(time.count()) * kMillisecondNs) >> LIMPET_TICK_SHIFT;
}

// Whole seconds from now to `expiry`; 0 if it has passed.
inline std::uint32_t seconds_left(std::uint64_t expiry, std::uint64_t now) {
  if (expiry <= now) return 0;
  return static_cast<std::uint32_t>(((expiry - now) << LIMPET_TICK_SHIFT) / LIMPET_SECOND_NS);
}

}  // namespace limpet::dataplane
