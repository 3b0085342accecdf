// SPDX-License-Identifier: Apache-2.0
// What an administrator configures: virtual services and their destinations (real servers), as values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/address.h"
#include "model/result.h"

namespace limpet {

// Names a virtual service: a firewall mark, or protocol, address and port (port 0: every port, needs persistence).
// With a mark, protocol is Protocol::ip, address unspecified of `family`, port 0.
struct ServiceKey {
  Family family = Family::ipv4;
  Protocol protocol = Protocol::tcp;
  Address address;
  Port port;
  Mark mark;

  bool is_mark() const { return mark.value != 0; }
  static ServiceKey of_mark(Mark mark, Family family = Family::ipv4);
  static ServiceKey of_address(Protocol protocol, const Address& address, Port port);
  // "tcp/192.0.2.1:80", "udp/[2001:db8::1]:53", "fwm/10", "fwm6/10": how the API and the log name a service.
  std::string to_string() const;
  static std::optional<ServiceKey> parse(std::string_view text);

  auto operator<=>(const ServiceKey&) const = default;
};

constexpr std::uint32_t kDefaultPersistenceSeconds = 360;
constexpr std::uint32_t kMaxTimeoutSeconds = 2678400;  // 31 days: the ceiling of ipvsadm for -p and --set

// Scheduler flags as on the wire of IPVS (IP_VS_SVC_F_SCHED1..3); sh-fallback and mh-fallback are the first, sh-port
// and mh-port the second.
enum SchedulerFlags : std::uint32_t { sched_flag_1 = 0x08, sched_flag_2 = 0x10, sched_flag_3 = 0x20 };

struct Service {
  ServiceKey key;
  std::string scheduler = "wlc";  // as given to -s; known_scheduler() says whether there is such a one
  bool persistent = false;
  std::uint32_t timeout = 0;  // seconds, 1..kMaxTimeoutSeconds when persistent, else 0
  // IPv4: netmask in network order (need not be contiguous); IPv6: prefix length 1..128.
  std::uint32_t netmask = 0xffffffff;
  bool one_packet = false;            // -o
  std::uint32_t scheduler_flags = 0;  // SchedulerFlags
  std::string persistence_engine;     // --pe; empty: none

  bool operator==(const Service&) const = default;
};

enum class ForwardingMethod : std::uint8_t { masq = 0, local = 1, tunnel = 2, route = 3 };  // IP_VS_CONN_F_*
enum class TunnelType : std::uint8_t { ipip = 0, gue = 1, gre = 2 };

struct Tunnel {
  TunnelType type = TunnelType::ipip;
  Port port;                // gue only
  std::uint16_t flags = 0;  // 0 none, 1 csum, 2 remcsum
  bool operator==(const Tunnel&) const = default;
};

// Names a real server within its service.
struct DestinationKey {
  Address address;
  Port port;  // 0: the packet's own port
  std::string to_string() const { return endpoint_to_string(address, port); }
  auto operator<=>(const DestinationKey&) const = default;
};

constexpr std::uint32_t kMaxWeight = 2147483647;

struct Destination {
  DestinationKey key;
  ForwardingMethod method = ForwardingMethod::route;
  std::uint32_t weight = 1;           // 0..kMaxWeight; 0: quiesced
  std::uint32_t upper_threshold = 0;  // connections; 0: none
  std::uint32_t lower_threshold = 0;
  Tunnel tunnel;

  bool operator==(const Destination&) const = default;
};

// The schedulers of IPVS, and maglev; the order is the data plane's enum (bpf/abi.h).
enum class Scheduler : std::uint8_t { rr, wrr, lc, wlc, lblc, lblcr, dh, sh, mh, sed, nq, fo, ovf, twos, maglev };
std::optional<Scheduler> scheduler_from_name(std::string_view name);

// What of a packet leads a new connection of the service to its server.
enum class Hashed : std::uint8_t { nothing, virtual_address, client_address, client_address_and_port };
Hashed hashed_by(const Service& service);

}  // namespace limpet
