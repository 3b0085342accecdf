// SPDX-License-Identifier: Apache-2.0
// Levels of defence.
#include "director/defence.h"

#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace limpet {
namespace {

std::int32_t level(std::int32_t wanted, bool is_short) {
  if (wanted != 1 && wanted != 2) return wanted;
  return is_short ? 2 : 1;
}

// The less is left, the more is dropped: all of it when nothing is. `left` is less than `threshold`.
std::int32_t rate(std::int64_t threshold, std::int64_t left) {
  const std::int64_t of = threshold / (threshold - left);
  return static_cast<std::int32_t>(std::min<std::int64_t>(of, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

void Defence::update(const Tunables& wanted, const Left& left) {
  const std::int64_t threshold = wanted[tunable("amemthresh")];
  const auto reserve = static_cast<std::int64_t>(left.ceiling / kReserve);
  const auto room = static_cast<std::int64_t>(left.ceiling - std::min(left.ceiling, left.flows));
  const bool memory_is_short = left.pages < threshold;
  const bool room_is_short = room < reserve;
  const bool is_short = memory_is_short || room_is_short;
  drop_entry_ = level(wanted[tunable("drop_entry")], is_short);
  drop_packet_ = level(wanted[tunable("drop_packet")], is_short);
  secure_tcp_ = level(wanted[tunable("secure_tcp")], is_short);
  drop_rate_ = 0;
  if (drop_packet_ == 3) drop_rate_ = wanted[tunable("am_droprate")];
  if (drop_packet_ != 2) return;
  drop_rate_ = memory_is_short ? rate(threshold, left.pages) : std::numeric_limits<std::int32_t>::max();
  if (room_is_short) drop_rate_ = std::min(drop_rate_, rate(reserve, room));
}

Tunables Defence::shown(Tunables wanted) const {
  wanted[tunable("drop_entry")] = drop_entry_;
  wanted[tunable("drop_packet")] = drop_packet_;
  wanted[tunable("secure_tcp")] = secure_tcp_;
  return wanted;
}

std::string Defence::kinds() const {
  std::string all;
  if (drops_entries()) all += "drop_entry ";
  if (drop_rate_ != 0) all += "drop_packet ";
  if (secures_tcp()) all += "secure_tcp ";
  return all;
}

std::vector<std::string> Defence::sentences() const {
  std::vector<std::string> all;
  const auto why = [](std::int32_t now) {
    return now == 2 ? "memory or the table of connections is short" : "it has been set to 3";
  };
  if (drops_entries())
    all.push_back(
        fmt::format("drop_entry is in force, since {}: half-open connections and idle ones of few packets are dropped",
                    why(drop_entry_)));
  if (drop_rate_ != 0)
    all.push_back(
        fmt::format("drop_packet is in force, since {}: of the packets that would open a connection, {} dropped",
                    why(drop_packet_), drop_rate_ <= 1 ? "all are" : fmt::format("one of {} is", drop_rate_)));
  if (secures_tcp())
    all.push_back(
        fmt::format("secure_tcp is in force, since {}: connections count as established later", why(secure_tcp_)));
  return all;
}

std::int64_t available_pages() {
  struct sysinfo info {};
  if (::sysinfo(&info) != 0) return std::numeric_limits<std::int64_t>::max();
  const auto bytes = (static_cast<std::uint64_t>(info.freeram) + info.bufferram) * info.mem_unit;
  return static_cast<std::int64_t>(bytes / static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

}  // namespace limpet
