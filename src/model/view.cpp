// SPDX-License-Identifier: Apache-2.0
// Arithmetic on counters and the names of states.
#include "model/view.h"

#include <array>
#include <cstddef>

namespace limpet {

Counters& Counters::operator+=(const Counters& other) {
  connections += other.connections;
  in_packets += other.in_packets;
  out_packets += other.out_packets;
  in_bytes += other.in_bytes;
  out_bytes += other.out_bytes;
  return *this;
}

Counters& Counters::operator-=(const Counters& other) {
  connections -= other.connections;
  in_packets -= other.in_packets;
  out_packets -= other.out_packets;
  in_bytes -= other.in_bytes;
  out_bytes -= other.out_bytes;
  return *this;
}

std::string_view tcp_state_name(TcpState state) {
  // ip_vs_proto_tcp.c, tcp_state_name_table.
  constexpr std::array<std::string_view, 11> kNames = {"NONE",     "ESTABLISHED", "SYN_SENT", "SYN_RECV",
                                                       "FIN_WAIT", "TIME_WAIT",   "CLOSE",    "CLOSE_WAIT",
                                                       "LAST_ACK", "LISTEN",      "SYNACK"};
  const auto index = static_cast<std::size_t>(state);
  return index < kNames.size() ? kNames[index] : "ERR!";
}

}  // namespace limpet
