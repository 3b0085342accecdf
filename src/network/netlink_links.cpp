// SPDX-License-Identifier: Apache-2.0
// Links and their addresses: listing, the veth pair, up, NOARP, MTU, MAC.
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "network/netlink.h"
#include "network/netlink_message.h"

namespace limpet::network {
namespace {

std::optional<Link> link_from(nlmsghdr* message) {
  const auto* header = header_of<ifinfomsg>(message);
  if (header == nullptr || message->nlmsg_type != RTM_NEWLINK) return std::nullopt;
  const Attributes attributes(message, sizeof(ifinfomsg));
  const Attributes info(attributes.raw(IFLA_LINKINFO));
  Link link;
  link.index = header->ifi_index;
  link.hardware = header->ifi_type;
  link.flags = header->ifi_flags;
  link.name = attributes.text(IFLA_IFNAME);
  link.kind = info.text(IFLA_INFO_KIND);
  link.mac = attributes.value<MacAddress>(IFLA_ADDRESS).value_or(MacAddress{});
  link.mtu = attributes.value<std::uint32_t>(IFLA_MTU).value_or(0);
  // With a namespace id the index counts in that namespace, not in this one.
  if (!attributes.has(IFLA_LINK_NETNSID)) link.peer_index = attributes.value<int>(IFLA_LINK).value_or(0);
  link.master_index = attributes.value<int>(IFLA_MASTER).value_or(0);
  link.master_kind = info.text(IFLA_INFO_SLAVE_KIND);
  return link;
}

ifinfomsg link_header(int index = 0, unsigned flags = 0, unsigned changed = 0) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = index;
  header.ifi_flags = flags;
  header.ifi_change = changed;
  return header;
}

std::string of_link(int index) { return " of interface " + std::to_string(index); }

}  // namespace

Result<std::vector<Link>> Netlink::links() {
  Message message(RTM_GETLINK, 0, link_header());
  message.put(IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
  const auto replies = dump(message, "listing the network interfaces");
  if (!replies) return replies.error();
  std::vector<Link> links;
  for (nlmsghdr* reply : *replies) {
    if (auto link = link_from(reply)) links.push_back(std::move(*link));
  }
  return links;
}

Result<std::optional<Link>> Netlink::link(const std::string& name) {
  Message message(RTM_GETLINK, 0, link_header());
  message.put(IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS}).put(IFLA_IFNAME, name);
  const auto replies = request(message, "looking for the network interface " + name, {ENODEV});
  if (!replies) return replies.error();
  for (nlmsghdr* reply : *replies) {
    if (auto link = link_from(reply)) return link;
  }
  return std::optional<Link>{};
}

Result<void> Netlink::create_veth_pair(const std::string& name, const std::string& peer, const MacAddress& mac,
                                       std::uint32_t mtu) {
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link_header());
  const auto describe = [&](const std::string& end) {
    message.put(IFLA_IFNAME, end).put(IFLA_MTU, mtu).put_raw(IFLA_ADDRESS, mac.data(), mac.size());
  };
  describe(name);
  message.nest(IFLA_LINKINFO, [&](Message& info) {
    info.put(IFLA_INFO_KIND, std::string("veth"));
    info.nest(IFLA_INFO_DATA, [&](Message& data) {
      data.nest(VETH_INFO_PEER, [&](Message& other) {
        other.append(link_header());
        describe(peer);
      });
    });
  });
  return change(message, "creating the veth pair " + name + " and " + peer);
}

Result<void> Netlink::delete_link(int index) {
  Message message(RTM_DELLINK, 0, link_header(index));
  return change(message, "deleting interface " + std::to_string(index), {ENODEV});
}

Result<void> Netlink::set_up(int index, bool up) {
  Message message(RTM_NEWLINK, 0, link_header(index, up ? IFF_UP : 0, IFF_UP));
  return change(message, std::string("setting interface ") + std::to_string(index) + (up ? " up" : " down"));
}

Result<void> Netlink::set_noarp(int index) {
  Message message(RTM_NEWLINK, 0, link_header(index, IFF_NOARP, IFF_NOARP));
  return change(message, "switching off ARP" + of_link(index));
}

Result<void> Netlink::set_mtu(int index, std::uint32_t mtu) {
  Message message(RTM_NEWLINK, 0, link_header(index));
  message.put(IFLA_MTU, mtu);
  return change(message, "setting the MTU" + of_link(index));
}

Result<void> Netlink::set_mac(int index, const MacAddress& mac) {
  Message message(RTM_NEWLINK, 0, link_header(index));
  message.put_raw(IFLA_ADDRESS, mac.data(), mac.size());
  return change(message, "setting the MAC address" + of_link(index));
}

Result<std::vector<InterfaceAddress>> Netlink::addresses() {
  Message message(RTM_GETADDR, 0, ifaddrmsg{});
  const auto replies = dump(message, "listing the addresses");
  if (!replies) return replies.error();
  std::vector<InterfaceAddress> addresses;
  for (nlmsghdr* reply : *replies) {
    const auto* header = header_of<ifaddrmsg>(reply);
    if (header == nullptr || reply->nlmsg_type != RTM_NEWADDR) continue;
    const Attributes attributes(reply, sizeof(ifaddrmsg));
    // On a point-to-point link IFA_ADDRESS is the other end's and IFA_LOCAL this host's; IPv6 usually has only the
    // former.
    const auto address = attributes.has(IFA_LOCAL) ? attributes.address(IFA_LOCAL) : attributes.address(IFA_ADDRESS);
    if (!address) continue;
    addresses.push_back({.interface = static_cast<int>(header->ifa_index),
                         .address = *address,
                         .prefix_length = header->ifa_prefixlen,
                         .scope = header->ifa_scope});
  }
  return addresses;
}

Result<void> Netlink::add_address(const InterfaceAddress& address) {
  ifaddrmsg header{};
  header.ifa_family = static_cast<std::uint8_t>(address.address.family());
  header.ifa_prefixlen = address.prefix_length;
  header.ifa_scope = address.scope;
  header.ifa_index = static_cast<std::uint32_t>(address.interface);
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, header);
  message.put(IFA_LOCAL, address.address).put(IFA_ADDRESS, address.address);
  message.put(IFA_FLAGS, std::uint32_t{IFA_F_NOPREFIXROUTE});
  return change(message, "adding the address " + address.address.to_string(), {EEXIST});
}

}  // namespace limpet::network
