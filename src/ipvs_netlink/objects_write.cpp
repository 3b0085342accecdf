// SPDX-License-Identifier: Apache-2.0
// What an answer says of a service, a destination, a daemon: the kernel's attributes, in its order.
#include <linux/ip_vs.h>

#include "ipvs_netlink/objects.h"

namespace limpet::ipvs_netlink {
namespace {

void put_address(Writer& to, std::uint16_t type, const Address& address) { to.put(type, address.bytes()); }

// Old programs read the 32-bit ones, which wrap.
void put_statistics(Writer& to, std::uint16_t type, const Counters& counters, const Rates& rates) {
  const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  const auto nest = to.begin_nested(type);
  to.put_u32(IPVS_STATS_ATTR_CONNS, low(counters.connections));
  to.put_u32(IPVS_STATS_ATTR_INPKTS, low(counters.in_packets));
  to.put_u32(IPVS_STATS_ATTR_OUTPKTS, low(counters.out_packets));
  to.put_u64(IPVS_STATS_ATTR_INBYTES, counters.in_bytes);
  to.put_u64(IPVS_STATS_ATTR_OUTBYTES, counters.out_bytes);
  to.put_u32(IPVS_STATS_ATTR_CPS, low(rates.connections));
  to.put_u32(IPVS_STATS_ATTR_INPPS, low(rates.in_packets));
  to.put_u32(IPVS_STATS_ATTR_OUTPPS, low(rates.out_packets));
  to.put_u32(IPVS_STATS_ATTR_INBPS, low(rates.in_bytes));
  to.put_u32(IPVS_STATS_ATTR_OUTBPS, low(rates.out_bytes));
  to.end_nested(nest);
}

void put_statistics64(Writer& to, std::uint16_t type, const Counters& counters, const Rates& rates) {
  const auto nest = to.begin_nested(type);
  to.put_u64(IPVS_STATS_ATTR_CONNS, counters.connections);
  to.put_u64(IPVS_STATS_ATTR_INPKTS, counters.in_packets);
  to.put_u64(IPVS_STATS_ATTR_OUTPKTS, counters.out_packets);
  to.put_u64(IPVS_STATS_ATTR_INBYTES, counters.in_bytes);
  to.put_u64(IPVS_STATS_ATTR_OUTBYTES, counters.out_bytes);
  to.put_u64(IPVS_STATS_ATTR_CPS, rates.connections);
  to.put_u64(IPVS_STATS_ATTR_INPPS, rates.in_packets);
  to.put_u64(IPVS_STATS_ATTR_OUTPPS, rates.out_packets);
  to.put_u64(IPVS_STATS_ATTR_INBPS, rates.in_bytes);
  to.put_u64(IPVS_STATS_ATTR_OUTBPS, rates.out_bytes);
  to.end_nested(nest);
}

}  // namespace

void write_service(Writer& to, const ServiceView& view) {
  const Service& service = view.service;
  const auto nest = to.begin_nested(IPVS_CMD_ATTR_SERVICE);
  to.put_u16(IPVS_SVC_ATTR_AF, static_cast<std::uint16_t>(service.key.family));
  if (service.key.is_mark()) {
    to.put_u32(IPVS_SVC_ATTR_FWMARK, service.key.mark.value);
  } else {
    to.put_u16(IPVS_SVC_ATTR_PROTOCOL, static_cast<std::uint16_t>(service.key.protocol));
    put_address(to, IPVS_SVC_ATTR_ADDR, service.key.address);
    to.put_network_u16(IPVS_SVC_ATTR_PORT, service.key.port.value);
  }
  to.put_text(IPVS_SVC_ATTR_SCHED_NAME, service.scheduler);
  if (!service.persistence_engine.empty()) to.put_text(IPVS_SVC_ATTR_PE_NAME, service.persistence_engine);
  const ip_vs_flags flags{IP_VS_SVC_F_HASHED | (service.persistent ? std::uint32_t{IP_VS_SVC_F_PERSISTENT} : 0) |
                              (service.one_packet ? std::uint32_t{IP_VS_SVC_F_ONEPACKET} : 0) | service.scheduler_flags,
                          ~std::uint32_t{0}};
  to.put(IPVS_SVC_ATTR_FLAGS, {reinterpret_cast<const std::uint8_t*>(&flags), sizeof flags});
  to.put_u32(IPVS_SVC_ATTR_TIMEOUT, service.timeout);
  to.put_u32(IPVS_SVC_ATTR_NETMASK, service.netmask);
  put_statistics(to, IPVS_SVC_ATTR_STATS, view.counters, view.rates);
  put_statistics64(to, IPVS_SVC_ATTR_STATS64, view.counters, view.rates);
  to.end_nested(nest);
}

void write_destination(Writer& to, const DestinationView& view) {
  const Destination& destination = view.destination;
  const auto nest = to.begin_nested(IPVS_CMD_ATTR_DEST);
  put_address(to, IPVS_DEST_ATTR_ADDR, destination.key.address);
  to.put_network_u16(IPVS_DEST_ATTR_PORT, destination.key.port.value);
  to.put_u32(IPVS_DEST_ATTR_FWD_METHOD, static_cast<std::uint32_t>(destination.method));
  to.put_u32(IPVS_DEST_ATTR_WEIGHT, destination.weight);
  to.put_u8(IPVS_DEST_ATTR_TUN_TYPE, static_cast<std::uint8_t>(destination.tunnel.type));
  to.put_network_u16(IPVS_DEST_ATTR_TUN_PORT, destination.tunnel.port.value);
  to.put_u16(IPVS_DEST_ATTR_TUN_FLAGS, destination.tunnel.flags);
  to.put_u32(IPVS_DEST_ATTR_U_THRESH, destination.upper_threshold);
  to.put_u32(IPVS_DEST_ATTR_L_THRESH, destination.lower_threshold);
  to.put_u32(IPVS_DEST_ATTR_ACTIVE_CONNS, view.active);
  to.put_u32(IPVS_DEST_ATTR_INACT_CONNS, view.inactive);
  to.put_u32(IPVS_DEST_ATTR_PERSIST_CONNS, view.persistent);
  to.put_u16(IPVS_DEST_ATTR_ADDR_FAMILY, static_cast<std::uint16_t>(destination.key.address.family()));
  put_statistics(to, IPVS_DEST_ATTR_STATS, view.counters, view.rates);
  put_statistics64(to, IPVS_DEST_ATTR_STATS64, view.counters, view.rates);
  to.end_nested(nest);
}

void write_daemon(Writer& to, const SyncDaemon& daemon) {
  const auto nest = to.begin_nested(IPVS_CMD_ATTR_DAEMON);
  to.put_u32(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(daemon.role));
  to.put_text(IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface);
  to.put_u32(IPVS_DAEMON_ATTR_SYNC_ID, daemon.sync_id);
  to.put_u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, daemon.max_length);
  to.put_u16(IPVS_DAEMON_ATTR_MCAST_PORT, daemon.port.value);
  to.put_u8(IPVS_DAEMON_ATTR_MCAST_TTL, daemon.ttl);
  if (daemon.group.family() == Family::ipv6) {
    put_address(to, IPVS_DAEMON_ATTR_MCAST_GROUP6, daemon.group);
  } else {
    to.put_u32(IPVS_DAEMON_ATTR_MCAST_GROUP, daemon.group.ipv4_network_order());
  }
  to.end_nested(nest);
}

}  // namespace limpet::ipvs_netlink
