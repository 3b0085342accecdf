// SPDX-License-Identifier: Apache-2.0
// Services and servers in ipvsadm's six page layouts.
#include "ipvsadm/listing.h"

#include "ipvsadm/endpoint_text.h"
#include "ipvsadm/mask_text.h"
#include "ipvsadm/order.h"
#include "ipvsadm/text_columns.h"
#include "ipvsadm/values.h"

namespace limpet::ipvsadm {
namespace {

enum class Page { plain, stats, rate, thresholds, persistent_conn, tun_info };

// Of several layouts asked for, the first in this order is shown.
Page page(const ListFormat& format) {
  if (format.stats) return Page::stats;
  if (format.rate) return Page::rate;
  if (format.thresholds) return Page::thresholds;
  if (format.persistent_conn) return Page::persistent_conn;
  if (format.tun_info) return Page::tun_info;
  return Page::plain;
}

constexpr std::size_t kServiceColumns = 33;
constexpr std::size_t kServerColumns = 28;

// IPv4 is cut to its column, IPv6 pushes the rest of the line to the right.
std::string fit(std::string text, Family family, std::size_t columns) {
  if (family == Family::ipv4 && text.size() > columns) text.resize(columns);
  return text;
}

std::string service_name(const ServiceKey& key, const ListFormat& format, const Names& names, const Dialect& dialect) {
  if (key.is_mark()) return "FWM  " + mark_text(key.mark, dialect) + (key.family == Family::ipv6 ? " IPv6" : "");
  const auto endpoint = endpoint_text(key.address, key.port, key.protocol, format.numeric, names);
  return fit(left(std::string(protocol_name(key.protocol)), 4) + " " + endpoint, key.family, kServiceColumns);
}

std::string scheduling(const Service& service) {
  std::string text = " " + service.scheduler;
  if (const auto flags = scheduler_flags_to_string(service.scheduler_flags, service.scheduler); !flags.empty()) {
    text += " (" + flags + ")";
  }
  if (service.persistent) {
    text += " persistent " + std::to_string(service.timeout);
    if (const auto mask = mask_text(service)) text += " mask " + *mask;
    if (!service.persistence_engine.empty()) text += " pe " + service.persistence_engine;
  }
  if (service.one_packet) text += " ops";
  return text;
}

std::string counters(const Counters& values, bool exact) {
  return counter(values.connections, exact) + counter(values.in_packets, exact) + counter(values.out_packets, exact) +
         counter(values.in_bytes, exact) + counter(values.out_bytes, exact);
}

std::string service_rates(const Rates& values, bool exact) {
  return counter(values.connections, exact) + counter(values.in_packets, exact) + counter(values.out_packets, exact) +
         counter(values.in_bytes, exact) + counter(values.out_bytes, exact);
}

// A server's connections and packets are never abbreviated, its bytes are.
std::string server_rates(const Rates& values, bool exact) {
  const auto plain = [](std::uint64_t value) { return " " + right(std::to_string(value), 8); };
  return plain(values.connections) + plain(values.in_packets) + plain(values.out_packets) +
         counter(values.in_bytes, exact) + counter(values.out_bytes, exact);
}

std::string method_name(ForwardingMethod method) {
  switch (method) {
    case ForwardingMethod::masq:
      return "Masq";
    case ForwardingMethod::local:
      return "Local";
    case ForwardingMethod::tunnel:
      return "Tunnel";
    case ForwardingMethod::route:
      break;
  }
  return "Route";
}

std::string checksum_suffix(std::uint16_t flags) { return flags == 0 ? "-c" : flags == 1 ? "+c" : "r+c"; }

std::string tunnel_info(const Destination& destination) {
  if (destination.method != ForwardingMethod::tunnel) return "n/a";
  const auto& tunnel = destination.tunnel;
  switch (tunnel.type) {
    case TunnelType::gue:
      return "gue:" + std::to_string(tunnel.port.value) + ":" + checksum_suffix(tunnel.flags);
    case TunnelType::gre:
      return "gre:" + checksum_suffix(tunnel.flags);
    case TunnelType::ipip:
      break;
  }
  return "ipip";
}

std::string server_text(const DestinationView& view, Protocol protocol, const ListFormat& format, const Names& names) {
  const auto& destination = view.destination;
  const auto& key = destination.key;
  const auto name =
      fit(endpoint_text(key.address, key.port, protocol, format.numeric, names), key.address.family(), kServerColumns);
  const auto start = "  -> " + left(name, kServerColumns);
  const auto connections = " " + left(view.active, 10) + " " + left(view.inactive, 10);
  switch (page(format)) {
    case Page::stats:
      return start + counters(view.counters, format.exact);
    case Page::rate:
      return start + server_rates(view.rates, format.exact);
    case Page::thresholds:
      return start + " " + left(destination.upper_threshold, 10) + " " + left(destination.lower_threshold, 10) +
             connections;
    case Page::persistent_conn:
      return start + " " + left(destination.weight, 9) + " " + left(view.persistent, 11) + connections;
    case Page::tun_info:
      return start + " " + left(method_name(destination.method), 7) + " " + left(tunnel_info(destination), 13) + " " +
             left(destination.weight, 6) + connections;
    case Page::plain:
      break;
  }
  return start + " " + left(method_name(destination.method), 7) + " " + left(destination.weight, 6) + connections;
}

}  // namespace

std::string version_line() { return "IP Virtual Server version 1.2.1 (size=4096)\n"; }

std::string listing_header(const ListFormat& format) {
  const std::string remote = "  -> RemoteAddress:Port";
  switch (page(format)) {
    case Page::stats:
      return "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n" + remote + "\n";
    case Page::rate:
      return "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n" + remote + "\n";
    case Page::thresholds:
      return "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n" + remote + "\n";
    case Page::persistent_conn:
      return "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n" + remote + "\n";
    case Page::tun_info:
      return "Prot LocalAddress:Port Scheduler Flags\n" + remote +
             "           Forward TunnelInfo    Weight ActiveConn InActConn\n";
    case Page::plain:
      break;
  }
  return "Prot LocalAddress:Port Scheduler Flags\n" + remote + "           Forward Weight ActiveConn InActConn\n";
}

std::string service_text(const ServiceView& view, const ListFormat& format, const Names& names,
                         const Dialect& dialect) {
  const auto& key = view.service.key;
  std::string text = service_name(key, format, names, dialect);
  switch (page(format)) {
    case Page::stats:
      text = left(text, kServiceColumns) + counters(view.counters, format.exact);
      break;
    case Page::rate:
      text = left(text, kServiceColumns) + service_rates(view.rates, format.exact);
      break;
    default:
      text += scheduling(view.service);
  }
  text += '\n';

  std::vector<const DestinationView*> servers;
  servers.reserve(view.destinations.size());
  for (const auto& server : view.destinations) servers.push_back(&server);
  if (format.sorted) sort_destinations(servers, dialect);
  for (const auto* server : servers) text += server_text(*server, key.protocol, format, names) + "\n";
  return text;
}

std::string timeouts_text(const Timeouts& timeouts) {
  return "Timeout (tcp tcpfin udp): " + std::to_string(timeouts.tcp) + " " + std::to_string(timeouts.tcp_fin) + " " +
         std::to_string(timeouts.udp) + "\n";
}

std::string sync_daemon_line(const SyncDaemon& daemon) {
  return std::string(daemon.role == SyncRole::master ? "master" : "backup") +
         " sync daemon (mcast=" + daemon.interface + ", syncid=" + std::to_string(daemon.sync_id) +
         ", maxlen=" + std::to_string(daemon.max_length) + ", group=" + daemon.group.to_string() +
         ", port=" + std::to_string(daemon.port.value) + ", ttl=" + std::to_string(daemon.ttl) + ")\n";
}

}  // namespace limpet::ipvsadm
