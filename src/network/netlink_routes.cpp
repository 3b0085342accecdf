// SPDX-License-Identifier: Apache-2.0
// Routes: the local table, tables of our own, and what the kernel would do with an address.
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "network/netlink.h"
#include "network/netlink_message.h"

namespace limpet::network {
namespace {

rtmsg route_header(Family family, std::uint8_t prefix_length = 0) {
  rtmsg header{};
  header.rtm_family = static_cast<std::uint8_t>(family);
  header.rtm_dst_len = prefix_length;
  return header;
}

// `type` RTN_UNSPEC: of whatever type, to be deleted.
rtmsg own_route_header(const Prefix& prefix, std::uint8_t type) {
  rtmsg header = route_header(prefix.address.family(), prefix.length);
  header.rtm_table = RT_TABLE_UNSPEC;  // the number stands in RTA_TABLE: it may be above 255
  header.rtm_type = type;
  if (type == RTN_UNSPEC) header.rtm_scope = RT_SCOPE_NOWHERE;
  if (type == RTN_UNICAST && prefix.address.family() == Family::ipv4) header.rtm_scope = RT_SCOPE_LINK;
  header.rtm_protocol = kRouteProtocol;
  return header;
}

std::optional<Route> route_from(nlmsghdr* message) {
  const auto* header = header_of<rtmsg>(message);
  if (header == nullptr || message->nlmsg_type != RTM_NEWROUTE) return std::nullopt;
  if (header->rtm_family != AF_INET && header->rtm_family != AF_INET6) return std::nullopt;
  const Attributes attributes(message, sizeof(rtmsg));
  Route route;
  // A default route has no destination.
  route.prefix.address =
      attributes.address(RTA_DST).value_or(header->rtm_family == AF_INET ? Address::ipv4(0) : Address::ipv6({}));
  route.prefix.length = header->rtm_dst_len;
  route.interface = attributes.value<int>(RTA_OIF).value_or(0);
  route.table = attributes.value<std::uint32_t>(RTA_TABLE).value_or(header->rtm_table);
  route.type = header->rtm_type;
  route.protocol = header->rtm_protocol;
  return route;
}

// A next hop of the other family (RTA_VIA): a 16-bit family, then the address.
std::optional<Address> via(const Attributes& attributes) {
  const nlattr* attribute = attributes.raw(RTA_VIA);
  std::array<std::uint8_t, 16> bytes{};
  if (attribute == nullptr || nla_len(attribute) != static_cast<int>(sizeof(std::uint16_t) + bytes.size())) {
    return std::nullopt;
  }
  const auto* data = static_cast<const std::uint8_t*>(nla_data(attribute));
  std::copy_n(data + sizeof(std::uint16_t), bytes.size(), bytes.begin());
  return Address::ipv6(bytes);
}

// Those of a listing that are wanted: an older kernel lists more than it was asked for.
template <class Wanted>
Result<std::vector<Route>> routes_among(const Result<Replies>& replies, Wanted wanted) {
  if (!replies) return replies.error();
  std::vector<Route> routes;
  for (nlmsghdr* reply : *replies)
    if (const auto route = route_from(reply); route && wanted(*route)) routes.push_back(*route);
  return routes;
}

}  // namespace

Result<std::vector<Route>> Netlink::routes(Family family, std::uint32_t table, std::uint8_t type) {
  rtmsg header = route_header(family);
  header.rtm_type = type;
  Message message(RTM_GETROUTE, 0, header);
  // The kernel lists this table only, so that a router's full table is never read.
  message.put(RTA_TABLE, table);
  return routes_among(dump(message, "listing the routes of table " + std::to_string(table)),
                      [=](const Route& route) { return route.table == table && (type == 0 || route.type == type); });
}

Result<std::vector<Prefix>> Netlink::local_prefixes(Family family) {
  const auto local = routes(family, RT_TABLE_LOCAL, RTN_LOCAL);
  if (!local) return local.error();
  std::vector<Prefix> prefixes;
  for (const Route& route : *local) prefixes.push_back(route.prefix);
  return prefixes;
}

Result<void> Netlink::add_route(const Prefix& prefix, int interface, std::uint32_t table) {
  const std::uint8_t type = interface == kNowhere ? RTN_THROW : RTN_UNICAST;
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, own_route_header(prefix, type));
  message.put(RTA_DST, prefix.address).put(RTA_TABLE, table);
  if (interface != kNowhere) message.put(RTA_OIF, static_cast<std::uint32_t>(interface));
  return change(message, "adding the route to " + prefix.to_string() + " in table " + std::to_string(table));
}

Result<void> Netlink::delete_route(const Prefix& prefix, std::uint32_t table) {
  Message message(RTM_DELROUTE, 0, own_route_header(prefix, RTN_UNSPEC));
  message.put(RTA_DST, prefix.address).put(RTA_TABLE, table);
  return change(message, "deleting the route to " + prefix.to_string() + " in table " + std::to_string(table),
                {ESRCH, ENOENT});
}

Result<std::vector<Route>> Netlink::own_routes(Family family) {
  rtmsg header = route_header(family);
  header.rtm_protocol = kRouteProtocol;
  Message message(RTM_GETROUTE, 0, header);
  return routes_among(dump(message, "listing limpet's own routes"),
                      [](const Route& route) { return route.protocol == kRouteProtocol; });
}

Result<int> Netlink::interface_for(const IncomingPacket& packet) {
  rtmsg header = route_header(packet.destination.family(), Prefix::host(packet.destination).length);
  header.rtm_src_len = Prefix::host(packet.source).length;
  Message message(RTM_GETROUTE, 0, header);
  message.put(RTA_DST, packet.destination).put(RTA_SRC, packet.source).put(RTA_MARK, packet.mark);
  message.put(RTA_IIF, static_cast<std::uint32_t>(packet.interface)).put(RTA_IP_PROTO, packet.ip_protocol);
  const std::string doing = "finding the way of a packet to " + packet.destination.to_string();
  const auto replies = request(message, doing);
  if (!replies) return replies.error();
  for (nlmsghdr* reply : *replies)
    if (const auto route = route_from(reply)) return route->interface;
  return system_error(doing, ENETUNREACH);
}

Result<NextHop> Netlink::next_hop(const Address& address) {
  Message message(RTM_GETROUTE, 0, route_header(address.family(), Prefix::host(address).length));
  message.put(RTA_DST, address);
  const auto replies = request(message, "finding a route to " + address.to_string());
  if (!replies) return replies.error();
  for (nlmsghdr* reply : *replies) {
    const auto route = route_from(reply);
    if (!route) continue;
    if (route->type != RTN_UNICAST && route->type != RTN_LOCAL) continue;
    const Attributes attributes(reply, sizeof(rtmsg));
    NextHop hop{.interface = route->interface, .gateway = {}, .local = route->type == RTN_LOCAL};
    hop.gateway = attributes.has(RTA_VIA) ? via(attributes) : attributes.address(RTA_GATEWAY);
    return hop;
  }
  return system_error("finding a route to " + address.to_string(), ENETUNREACH);
}

}  // namespace limpet::network
