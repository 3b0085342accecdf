// SPDX-License-Identifier: Apache-2.0
// Subscribes to the routing groups and reduces what arrives to "what kind of thing changed".
#include "network/monitor.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace limpet::network {
namespace {

constexpr std::array kGroups = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                                RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE};
constexpr std::size_t kDatagram = 65536;
// One read() takes at most this many datagrams, so that a storm of notifications does not hold the event loop; the
// descriptor stays readable.
constexpr int kDatagramsARead = 256;

Changes change_of_route(std::span<const std::byte> body) {
  rtmsg route{};
  if (body.size() < sizeof route) return {.routes = true};
  std::memcpy(&route, body.data(), sizeof route);
  if (route.rtm_type == RTN_LOCAL) return {.addresses = true};
  return {.routes = true};
}

Changes change_of(const nlmsghdr& header, std::span<const std::byte> body) {
  switch (header.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return {.links = true};
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return {.addresses = true};
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return change_of_route(body);
    case RTM_NEWRULE:
    case RTM_DELRULE:
      return {.rules = true};
    case NLMSG_OVERRUN:
      return kEverythingChanged;
    default:
      return {};
  }
}

}  // namespace

Changes& Changes::operator|=(const Changes& other) {
  links |= other.links;
  addresses |= other.addresses;
  routes |= other.routes;
  rules |= other.rules;
  return *this;
}

Changes changes_in(std::span<const std::byte> datagram) {
  Changes changes;
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) break;
    changes |= change_of(header, datagram.subspan(sizeof header, header.nlmsg_len - sizeof header));
    const std::size_t step = (std::size_t{header.nlmsg_len} + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1};
    if (step >= datagram.size()) break;
    datagram = datagram.subspan(step);
  }
  return changes;
}

Result<Monitor> Monitor::open() {
  Monitor monitor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (monitor.descriptor_ < 0) return system_error("opening a socket for network changes", errno);
  sockaddr_nl self{};
  self.nl_family = AF_NETLINK;
  const void* address = &self;
  if (::bind(monitor.descriptor_, static_cast<const sockaddr*>(address), sizeof self) != 0) {
    return system_error("listening for network changes", errno);
  }
  for (const int group : kGroups) {
    if (::setsockopt(monitor.descriptor_, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
      return system_error("listening for network changes", errno);
    }
  }
  return monitor;
}

Monitor::Monitor(Monitor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Monitor& Monitor::operator=(Monitor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Monitor::~Monitor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Changes> Monitor::read() {
  Changes changes;
  std::array<std::byte, kDatagram> buffer;
  for (int taken = 0; taken < kDatagramsARead; ++taken) {
    sockaddr_nl sender{};
    iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t size = ::recvmsg(descriptor_, &message, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == ENOBUFS) {
      changes = kEverythingChanged;
      continue;
    }
    if (size < 0) return system_error("reading network changes", errno);
    if (sender.nl_pid != 0) continue;  // only the kernel is believed; any process may write to a netlink socket
    if ((message.msg_flags & MSG_TRUNC) != 0) changes = kEverythingChanged;
    changes |= changes_in(std::span(buffer).first(static_cast<std::size_t>(size)));
  }
  return changes;
}

}  // namespace limpet::network
