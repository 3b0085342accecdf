// SPDX-License-Identifier: Apache-2.0
// What can be seen: services with their counts, counters and rates; connections and templates; timeouts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/service.h"

namespace limpet {

struct Counters {
  std::uint64_t connections = 0;
  std::uint64_t in_packets = 0;
  std::uint64_t out_packets = 0;
  std::uint64_t in_bytes = 0;  // IP length
  std::uint64_t out_bytes = 0;

  Counters& operator+=(const Counters& other);
  Counters& operator-=(const Counters& other);
  bool operator==(const Counters&) const = default;
};

// Per second, as the kernel's estimator smooths them.
struct Rates {
  std::uint64_t connections = 0;
  std::uint64_t in_packets = 0;
  std::uint64_t out_packets = 0;
  std::uint64_t in_bytes = 0;
  std::uint64_t out_bytes = 0;

  bool operator==(const Rates&) const = default;
};

struct DestinationView {
  Destination destination;
  std::uint32_t active = 0;  // connections
  std::uint32_t inactive = 0;
  std::uint32_t persistent = 0;  // templates
  Counters counters;
  Rates rates;
};

struct ServiceView {
  Service service;
  Counters counters;
  Rates rates;
  std::vector<DestinationView> destinations;  // in the kernel's order: the last one added comes first
};

// TCP states in the kernel's numbering (IP_VS_TCP_S_*).
enum class TcpState : std::uint8_t {
  none,
  established,
  syn_sent,
  syn_recv,
  fin_wait,
  time_wait,
  close,
  close_wait,
  last_ack,
  listen,
  synack
};
std::string_view tcp_state_name(TcpState state);  // "ESTABLISHED", ...

// A line of -Lnc: a connection or a persistence template.
struct ConnectionView {
  Family family = Family::ipv4;
  Protocol protocol = Protocol::tcp;  // Protocol::ip for the template of a mark service
  bool is_template = false;
  std::string state;          // "ESTABLISHED", "UDP", "ASSURED", "NONE", ...
  std::uint32_t expires = 0;  // seconds left
  Address client;             // a template's is masked
  Port client_port;
  Address virtual_address;  // a mark service's template: the mark as an address, as the kernel prints it (0.0.0.10)
  Port virtual_port;
  Address destination;  // 0.0.0.0, port 0: past all servers, to the virtual address (cache_bypass)
  Port destination_port;
  std::string engine;  // the persistence engine that keyed a template, and what it made its key of; empty: none
  std::string engine_data;
};

// Seconds. What `ipvsadm --set` sets; 0 in a request means "leave as it is".
struct Timeouts {
  std::uint32_t tcp = 900;      // ESTABLISHED
  std::uint32_t tcp_fin = 120;  // FIN_WAIT
  std::uint32_t udp = 300;

  bool operator==(const Timeouts&) const = default;
};

}  // namespace limpet
