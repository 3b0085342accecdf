// SPDX-License-Identifier: Apache-2.0
// What of a service, a destination, a daemon must be there, and in which shape (ip_vs_ctl.c, ip_vs_svc_policy and its
// like, ip_vs_genl_parse_service() and its like).
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ipvs_netlink/objects.h"

namespace limpet::ipvs_netlink {
namespace {

constexpr std::uint16_t kAddressLength = 16;  // union nf_inet_addr

constexpr Rule kServiceRules[] = {
    {IPVS_SVC_ATTR_AF, Shape::at_least, 2},
    {IPVS_SVC_ATTR_PROTOCOL, Shape::at_least, 2},
    {IPVS_SVC_ATTR_ADDR, Shape::at_most, kAddressLength},
    {IPVS_SVC_ATTR_PORT, Shape::at_least, 2},
    {IPVS_SVC_ATTR_FWMARK, Shape::at_least, 4},
    {IPVS_SVC_ATTR_SCHED_NAME, Shape::text, IP_VS_SCHEDNAME_MAXLEN - 1},
    {IPVS_SVC_ATTR_PE_NAME, Shape::text, IP_VS_PENAME_MAXLEN},
    {IPVS_SVC_ATTR_FLAGS, Shape::at_most, sizeof(ip_vs_flags)},
    {IPVS_SVC_ATTR_TIMEOUT, Shape::at_least, 4},
    {IPVS_SVC_ATTR_NETMASK, Shape::at_least, 4},
    {IPVS_SVC_ATTR_STATS, Shape::nested},
};

constexpr Rule kDestinationRules[] = {
    {IPVS_DEST_ATTR_ADDR, Shape::at_most, kAddressLength}, {IPVS_DEST_ATTR_PORT, Shape::at_least, 2},
    {IPVS_DEST_ATTR_FWD_METHOD, Shape::at_least, 4},       {IPVS_DEST_ATTR_WEIGHT, Shape::at_least, 4},
    {IPVS_DEST_ATTR_U_THRESH, Shape::at_least, 4},         {IPVS_DEST_ATTR_L_THRESH, Shape::at_least, 4},
    {IPVS_DEST_ATTR_ACTIVE_CONNS, Shape::at_least, 4},     {IPVS_DEST_ATTR_INACT_CONNS, Shape::at_least, 4},
    {IPVS_DEST_ATTR_PERSIST_CONNS, Shape::at_least, 4},    {IPVS_DEST_ATTR_STATS, Shape::nested},
    {IPVS_DEST_ATTR_ADDR_FAMILY, Shape::at_least, 2},      {IPVS_DEST_ATTR_TUN_TYPE, Shape::at_least, 1},
    {IPVS_DEST_ATTR_TUN_PORT, Shape::at_least, 2},         {IPVS_DEST_ATTR_TUN_FLAGS, Shape::at_least, 2},
};

constexpr Rule kDaemonRules[] = {
    {IPVS_DAEMON_ATTR_STATE, Shape::at_least, 4},
    {IPVS_DAEMON_ATTR_MCAST_IFN, Shape::text, IP_VS_IFNAME_MAXLEN - 1},
    {IPVS_DAEMON_ATTR_SYNC_ID, Shape::at_least, 4},
    {IPVS_DAEMON_ATTR_SYNC_MAXLEN, Shape::at_least, 2},
    {IPVS_DAEMON_ATTR_MCAST_GROUP, Shape::at_least, 4},
    {IPVS_DAEMON_ATTR_MCAST_GROUP6, Shape::at_least, kAddressLength},
    {IPVS_DAEMON_ATTR_MCAST_PORT, Shape::at_least, 2},
    {IPVS_DAEMON_ATTR_MCAST_TTL, Shape::at_least, 1},
};

std::optional<Family> family_of(std::uint16_t value) {
  if (value == AF_INET) return Family::ipv4;
  if (value == AF_INET6) return Family::ipv6;
  return std::nullopt;
}

// What is missing of a shorter one is 0; what an IPv4 address has behind its four bytes means nothing.
Address address_of(Family family, ByteView bytes) {
  std::array<std::uint8_t, kAddressLength> all{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), all.size()), all.begin());
  if (family == Family::ipv6) return Address::ipv6(all);
  std::uint32_t four = 0;
  std::memcpy(&four, all.data(), sizeof four);
  return Address::ipv4(four);
}

std::variant<NamedService, Refused> name_of(const Attributes& attributes) {
  const bool by_address = attributes.have({IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_PORT});
  if (!attributes.has(IPVS_SVC_ATTR_AF) || (!attributes.has(IPVS_SVC_ATTR_FWMARK) && !by_address)) {
    return Refused{EINVAL};
  }
  const auto family = family_of(attributes.u16(IPVS_SVC_ATTR_AF));
  if (!family) return Refused{EAFNOSUPPORT};
  if (attributes.has(IPVS_SVC_ATTR_FWMARK)) {
    const Mark mark{attributes.u32(IPVS_SVC_ATTR_FWMARK)};
    if (mark.value != 0) return NamedService{ServiceKey::of_mark(mark, *family), {}, true};
    return NamedService{ServiceKey::of_address(Protocol::tcp, address_of(*family, {}), {}), {}, true};
  }
  const auto protocol = attributes.u16(IPVS_SVC_ATTR_PROTOCOL);
  const bool known = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
  return NamedService{ServiceKey::of_address(known ? static_cast<Protocol>(protocol) : Protocol::ip,
                                             address_of(*family, attributes.bytes(IPVS_SVC_ATTR_ADDR)),
                                             Port{attributes.network_u16(IPVS_SVC_ATTR_PORT)}),
                      {},
                      known};
}

std::uint32_t flags_of(const Service& service) {
  return (service.persistent ? IP_VS_SVC_F_PERSISTENT : 0) | (service.one_packet ? IP_VS_SVC_F_ONEPACKET : 0) |
         service.scheduler_flags;
}

// As the kernel merges them; it sets IP_VS_SVC_F_HASHED itself, and knows no others than these.
std::uint32_t merged_flags(const Attributes& attributes, const ServiceKey& key, const FindService& find) {
  constexpr std::uint32_t kKnown =
      IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_ONEPACKET | IP_VS_SVC_F_SCHED1 | IP_VS_SVC_F_SCHED2 | IP_VS_SVC_F_SCHED3;
  ip_vs_flags flags{};
  const auto bytes = attributes.bytes(IPVS_SVC_ATTR_FLAGS);
  std::memcpy(&flags, bytes.data(), bytes.size());
  std::uint32_t merged = flags.flags & flags.mask & kKnown;
  if ((~flags.mask & kKnown) == 0) return merged;
  if (const auto service = find(key)) merged |= flags_of(*service) & ~flags.mask;
  return merged;
}

}  // namespace

std::variant<NamedService, Refused> read_service_name(const std::optional<ByteView>& attribute) {
  Attributes attributes;
  if (!attribute || attributes.read(*attribute, kServiceRules) != 0) return Refused{EINVAL};
  return name_of(attributes);
}

std::variant<NamedService, Refused> read_service(const std::optional<ByteView>& attribute, const FindService& find) {
  Attributes attributes;
  if (!attribute || attributes.read(*attribute, kServiceRules) != 0) return Refused{EINVAL};
  auto name = name_of(attributes);
  auto* named = std::get_if<NamedService>(&name);
  if (named == nullptr) return name;
  if (!attributes.have({IPVS_SVC_ATTR_SCHED_NAME, IPVS_SVC_ATTR_FLAGS, IPVS_SVC_ATTR_TIMEOUT, IPVS_SVC_ATTR_NETMASK})) {
    return Refused{EINVAL};
  }
  const auto flags = merged_flags(attributes, named->key, find);
  Service& service = named->service;
  service.key = named->key;
  service.scheduler = attributes.text(IPVS_SVC_ATTR_SCHED_NAME);
  service.persistent = (flags & IP_VS_SVC_F_PERSISTENT) != 0;
  service.timeout = service.persistent ? attributes.u32(IPVS_SVC_ATTR_TIMEOUT) : 0;
  service.netmask = attributes.u32(IPVS_SVC_ATTR_NETMASK);
  service.one_packet = (flags & IP_VS_SVC_F_ONEPACKET) != 0;
  service.scheduler_flags = flags & (IP_VS_SVC_F_SCHED1 | IP_VS_SVC_F_SCHED2 | IP_VS_SVC_F_SCHED3);
  if (attributes.has(IPVS_SVC_ATTR_PE_NAME)) service.persistence_engine = attributes.text(IPVS_SVC_ATTR_PE_NAME);
  return name;
}

std::variant<Destination, Refused> read_destination(const std::optional<ByteView>& attribute, Family of_service,
                                                    bool complete) {
  Attributes attributes;
  if (!attribute || attributes.read(*attribute, kDestinationRules) != 0 ||
      !attributes.have({IPVS_DEST_ATTR_ADDR, IPVS_DEST_ATTR_PORT})) {
    return Refused{EINVAL};
  }
  if (complete && !attributes.have({IPVS_DEST_ATTR_FWD_METHOD, IPVS_DEST_ATTR_WEIGHT, IPVS_DEST_ATTR_U_THRESH,
                                    IPVS_DEST_ATTR_L_THRESH})) {
    return Refused{EINVAL};
  }
  // Old programs know no family of a destination.
  const auto given =
      attributes.has(IPVS_DEST_ATTR_ADDR_FAMILY) ? attributes.u16(IPVS_DEST_ATTR_ADDR_FAMILY) : std::uint16_t{0};
  const auto family = given == 0 ? std::optional(of_service) : family_of(given);
  if (!family) return Refused{EAFNOSUPPORT};

  Destination destination;
  destination.key = {address_of(*family, attributes.bytes(IPVS_DEST_ATTR_ADDR)),
                     Port{attributes.network_u16(IPVS_DEST_ATTR_PORT)}};
  if (!complete) return destination;
  const auto method = attributes.u32(IPVS_DEST_ATTR_FWD_METHOD) & IP_VS_CONN_F_FWD_MASK;
  if (method > IP_VS_CONN_F_DROUTE) return Refused{EOPNOTSUPP};  // "bypass" is the kernel's own
  destination.method = static_cast<ForwardingMethod>(method);
  destination.weight = attributes.u32(IPVS_DEST_ATTR_WEIGHT);
  destination.upper_threshold = attributes.u32(IPVS_DEST_ATTR_U_THRESH);
  destination.lower_threshold = attributes.u32(IPVS_DEST_ATTR_L_THRESH);
  if (attributes.has(IPVS_DEST_ATTR_TUN_TYPE)) {
    const auto type = attributes.u8(IPVS_DEST_ATTR_TUN_TYPE);
    if (type > IP_VS_CONN_F_TUNNEL_TYPE_GRE) return Refused{EOPNOTSUPP};
    destination.tunnel.type = static_cast<TunnelType>(type);
  }
  if (attributes.has(IPVS_DEST_ATTR_TUN_PORT)) {
    destination.tunnel.port = Port{attributes.network_u16(IPVS_DEST_ATTR_TUN_PORT)};
  }
  if (attributes.has(IPVS_DEST_ATTR_TUN_FLAGS)) destination.tunnel.flags = attributes.u16(IPVS_DEST_ATTR_TUN_FLAGS);
  return destination;
}

std::variant<SyncRole, Refused> read_daemon_role(const std::optional<ByteView>& attribute) {
  Attributes attributes;
  if (!attribute || attributes.read(*attribute, kDaemonRules) != 0 || !attributes.has(IPVS_DAEMON_ATTR_STATE)) {
    return Refused{EINVAL};
  }
  const auto state = attributes.u32(IPVS_DAEMON_ATTR_STATE);
  if (state != IP_VS_STATE_MASTER && state != IP_VS_STATE_BACKUP) return Refused{EINVAL};
  return static_cast<SyncRole>(state);
}

std::variant<SyncDaemon, Refused> read_daemon(const std::optional<ByteView>& attribute) {
  const auto role = read_daemon_role(attribute);
  if (const auto* refused = std::get_if<Refused>(&role)) return *refused;
  Attributes attributes;
  (void)attributes.read(*attribute, kDaemonRules);
  if (!attributes.have({IPVS_DAEMON_ATTR_MCAST_IFN, IPVS_DAEMON_ATTR_SYNC_ID})) return Refused{EINVAL};

  SyncDaemon daemon;
  daemon.role = std::get<SyncRole>(role);
  daemon.interface = attributes.text(IPVS_DAEMON_ATTR_MCAST_IFN);
  const auto sync_id = attributes.u32(IPVS_DAEMON_ATTR_SYNC_ID);
  if (sync_id > UINT8_MAX) return Refused{EINVAL};
  daemon.sync_id = static_cast<std::uint8_t>(sync_id);
  if (attributes.has(IPVS_DAEMON_ATTR_SYNC_MAXLEN)) daemon.max_length = attributes.u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN);
  if (attributes.has(IPVS_DAEMON_ATTR_MCAST_GROUP)) {
    daemon.group = address_of(Family::ipv4, attributes.bytes(IPVS_DAEMON_ATTR_MCAST_GROUP));
  } else if (attributes.has(IPVS_DAEMON_ATTR_MCAST_GROUP6)) {
    daemon.group = address_of(Family::ipv6, attributes.bytes(IPVS_DAEMON_ATTR_MCAST_GROUP6));
  }
  // A 0 stands for the usual one (ip_vs_sync.c, start_sync_thread()).
  const auto port =
      attributes.has(IPVS_DAEMON_ATTR_MCAST_PORT) ? attributes.u16(IPVS_DAEMON_ATTR_MCAST_PORT) : std::uint16_t{0};
  if (port != 0) daemon.port = Port{port};
  const auto ttl =
      attributes.has(IPVS_DAEMON_ATTR_MCAST_TTL) ? attributes.u8(IPVS_DAEMON_ATTR_MCAST_TTL) : std::uint8_t{0};
  if (ttl != 0) daemon.ttl = ttl;
  return daemon;
}

}  // namespace limpet::ipvs_netlink
