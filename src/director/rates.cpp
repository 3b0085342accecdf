// SPDX-License-Identifier: Apache-2.0
// Rates as the kernel's estimator smooths them.
#include "director/rates.h"

namespace limpet {
namespace {

void approach(std::int64_t& average, std::uint64_t now, std::uint64_t before, int shift) {
  // Over two seconds: one bit less than the scale. A counter that was zeroed starts anew.
  const std::uint64_t difference = now >= before ? now - before : 0;
  const auto rate = static_cast<std::int64_t>(difference << (shift - 1));
  average += (rate - average) >> 2;
}

std::uint64_t shown(std::int64_t average, int shift) {
  const std::int64_t half = (std::int64_t{1} << (shift - 1)) - 1;
  return static_cast<std::uint64_t>(average < 0 ? 0 : (average + half) >> shift);
}

constexpr int kPacketShift = 10;
constexpr int kByteShift = 5;

}  // namespace

void Estimator::sample(const Counters& counters) {
  if (started_) {
    approach(average_.connections, counters.connections, last_.connections, kPacketShift);
    approach(average_.in_packets, counters.in_packets, last_.in_packets, kPacketShift);
    approach(average_.out_packets, counters.out_packets, last_.out_packets, kPacketShift);
    approach(average_.in_bytes, counters.in_bytes, last_.in_bytes, kByteShift);
    approach(average_.out_bytes, counters.out_bytes, last_.out_bytes, kByteShift);
  }
  started_ = true;
  last_ = counters;
}

Estimator& Estimator::operator+=(const Estimator& other) {
  average_.connections += other.average_.connections;
  average_.in_packets += other.average_.in_packets;
  average_.out_packets += other.average_.out_packets;
  average_.in_bytes += other.average_.in_bytes;
  average_.out_bytes += other.average_.out_bytes;
  return *this;
}

Rates Estimator::rates() const {
  return {shown(average_.connections, kPacketShift), shown(average_.in_packets, kPacketShift),
          shown(average_.out_packets, kPacketShift), shown(average_.in_bytes, kByteShift),
          shown(average_.out_bytes, kByteShift)};
}

}  // namespace limpet
