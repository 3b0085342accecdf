// SPDX-License-Identifier: Apache-2.0
// Neighbours, and keeping them resolved.
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "network/netlink.h"
#include "network/netlink_message.h"

namespace limpet::network {
namespace {

ndmsg neighbour_header(Family family, int interface = 0) {
  ndmsg header{};
  header.ndm_family = static_cast<std::uint8_t>(family);
  header.ndm_ifindex = interface;
  return header;
}

std::optional<Neighbour> neighbour_from(nlmsghdr* message) {
  const auto* header = header_of<ndmsg>(message);
  if (header == nullptr || message->nlmsg_type != RTM_NEWNEIGH) return std::nullopt;
  const Attributes attributes(message, sizeof(ndmsg));
  const auto address = attributes.address(NDA_DST);
  if (!address) return std::nullopt;
  const std::uint32_t extended = attributes.value<std::uint32_t>(NDA_FLAGS_EXT).value_or(0);
  return Neighbour{.interface = header->ndm_ifindex,
                   .address = *address,
                   .state = header->ndm_state,
                   .mac = attributes.value<MacAddress>(NDA_LLADDR),
                   .managed = (extended & NTF_EXT_MANAGED) != 0,
                   .protocol = attributes.value<std::uint8_t>(NDA_PROTOCOL).value_or(0)};
}

std::string on_interface(const Address& address, int interface) {
  return "the neighbour " + address.to_string() + " on interface " + std::to_string(interface);
}

}  // namespace

Result<void> Netlink::keep_neighbour(int interface, const Address& address) {
  const auto known = neighbour(interface, address);
  if (!known) return known.error();
  // Making a permanent entry managed would take its permanence and with it its address (neighbour.c,
  // __neigh_update: NEIGH_UPDATE_F_MANAGED clears NUD_PERMANENT); it needs no keeping either.
  if (*known && ((*known)->managed || ((*known)->state & (NUD_PERMANENT | NUD_NOARP)) != 0)) return {};
  Message message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, neighbour_header(address.family(), interface));
  message.put(NDA_DST, address).put(NDA_FLAGS_EXT, std::uint32_t{NTF_EXT_MANAGED}).put(NDA_PROTOCOL, kRouteProtocol);
  return change(message, "keeping " + on_interface(address, interface));
}

Result<void> Netlink::delete_neighbour(int interface, const Address& address) {
  Message message(RTM_DELNEIGH, 0, neighbour_header(address.family(), interface));
  message.put(NDA_DST, address);
  return change(message, "deleting " + on_interface(address, interface), {ENOENT, ENODEV, ENXIO});
}

Result<std::optional<Neighbour>> Netlink::neighbour(int interface, const Address& address) {
  Message message(RTM_GETNEIGH, 0, neighbour_header(address.family(), interface));
  message.put(NDA_DST, address);
  const auto replies = request(message, "looking for " + on_interface(address, interface), {ENOENT});
  if (!replies) return replies.error();
  for (nlmsghdr* reply : *replies) {
    if (auto found = neighbour_from(reply)) return found;
  }
  return std::optional<Neighbour>{};
}

Result<std::vector<Neighbour>> Netlink::neighbours(Family family) {
  Message message(RTM_GETNEIGH, 0, neighbour_header(family));
  const auto replies = dump(message, "listing the neighbours");
  if (!replies) return replies.error();
  std::vector<Neighbour> neighbours;
  for (nlmsghdr* reply : *replies) {
    if (auto found = neighbour_from(reply)) neighbours.push_back(*found);
  }
  return neighbours;
}

}  // namespace limpet::network
