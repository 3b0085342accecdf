// SPDX-License-Identifier: Apache-2.0
// Requests as libipvs makes them, and answers taken apart.
#pragma once

#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ipvs_netlink/protocol.h"
#include "ipvs_netlink/wire.h"

namespace limpet::ipvs_netlink {

constexpr std::uint16_t kAcknowledged = NLM_F_REQUEST | NLM_F_ACK;
constexpr std::uint16_t kListed = NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP;

using Fill = std::function<void(Writer&)>;

inline Bytes request(
    std::uint8_t command, const Fill& fill = [](Writer&) {}, std::uint16_t flags = kAcknowledged,
    std::uint32_t sequence = 7, std::uint16_t family = LIMPET_IPVS_FAMILY) {
  Writer writer;
  const auto mark = writer.begin_generic(family, flags, sequence, 4711, command, IPVS_GENL_VERSION);
  fill(writer);
  writer.end_message(mark);
  return writer.take();
}

// An attribute of an object: which, and how it is written. A test leaves some out, or writes them wrong.
struct Piece {
  std::uint16_t type = 0;
  Fill write;
};
using Pieces = std::vector<Piece>;

inline Piece u8(std::uint16_t type, std::uint8_t value) {
  return {type, [=](Writer& to) { to.put_u8(type, value); }};
}
inline Piece u16(std::uint16_t type, std::uint16_t value) {
  return {type, [=](Writer& to) { to.put_u16(type, value); }};
}
inline Piece u32(std::uint16_t type, std::uint32_t value) {
  return {type, [=](Writer& to) { to.put_u32(type, value); }};
}
inline Piece raw(std::uint16_t type, Bytes value) {
  return {type, [=](Writer& to) { to.put(type, value); }};
}
inline Piece text(std::uint16_t type, std::string value) {
  return {type, [=](Writer& to) { to.put_text(type, value); }};
}
inline Piece ipv4(std::uint16_t type, std::array<std::uint8_t, 4> address) {
  Bytes all(16);
  std::copy(address.begin(), address.end(), all.begin());
  return raw(type, all);
}

inline Pieces without(Pieces pieces, std::uint16_t type) {
  std::erase_if(pieces, [=](const Piece& each) { return each.type == type; });
  return pieces;
}
inline Pieces with(Pieces pieces, Piece piece) {
  pieces = without(std::move(pieces), piece.type);
  pieces.push_back(std::move(piece));
  return pieces;
}

inline Fill nest(std::uint16_t type, const Pieces& pieces) {
  return [=](Writer& to) {
    const auto mark = to.begin_nested(type);
    for (const Piece& each : pieces) each.write(to);
    to.end_nested(mark);
  };
}
inline Fill both(Fill first, Fill second) {
  return [=](Writer& to) {
    first(to);
    second(to);
  };
}

// tcp/192.0.2.1:80
inline Pieces service_name() {
  return {u16(IPVS_SVC_ATTR_AF, AF_INET), u16(IPVS_SVC_ATTR_PROTOCOL, IPPROTO_TCP),
          ipv4(IPVS_SVC_ATTR_ADDR, {192, 0, 2, 1}), u16(IPVS_SVC_ATTR_PORT, htons(80))};
}
// ... with -s rr -p 600 -M 255.255.255.0
inline Pieces whole_service() {
  Pieces pieces = service_name();
  const ip_vs_flags flags{IP_VS_SVC_F_PERSISTENT, ~0U};
  Bytes flag_bytes(sizeof flags);
  std::memcpy(flag_bytes.data(), &flags, sizeof flags);
  for (Piece each : {text(IPVS_SVC_ATTR_SCHED_NAME, "rr"), raw(IPVS_SVC_ATTR_FLAGS, flag_bytes),
                     u32(IPVS_SVC_ATTR_TIMEOUT, 600), u32(IPVS_SVC_ATTR_NETMASK, htonl(0xffffff00))}) {
    pieces.push_back(std::move(each));
  }
  return pieces;
}
// 198.51.100.7:8080
inline Pieces server_name() {
  return {ipv4(IPVS_DEST_ATTR_ADDR, {198, 51, 100, 7}), u16(IPVS_DEST_ATTR_PORT, htons(8080)),
          u16(IPVS_DEST_ATTR_ADDR_FAMILY, AF_INET)};
}
// ... with -m -w 3 -x 9 -y 5
inline Pieces whole_server() {
  Pieces pieces = server_name();
  for (Piece each : {u32(IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_MASQ), u32(IPVS_DEST_ATTR_WEIGHT, 3),
                     u32(IPVS_DEST_ATTR_U_THRESH, 9), u32(IPVS_DEST_ATTR_L_THRESH, 5)}) {
    pieces.push_back(std::move(each));
  }
  return pieces;
}
inline Pieces whole_daemon() {
  return {u32(IPVS_DAEMON_ATTR_STATE, IP_VS_STATE_BACKUP), text(IPVS_DAEMON_ATTR_MCAST_IFN, "eth1"),
          u32(IPVS_DAEMON_ATTR_SYNC_ID, 9)};
}

inline Fill of_service(const Pieces& pieces) { return nest(IPVS_CMD_ATTR_SERVICE, pieces); }
inline Fill of_service_and_server(const Pieces& service, const Pieces& server) {
  return both(nest(IPVS_CMD_ATTR_SERVICE, service), nest(IPVS_CMD_ATTR_DEST, server));
}
inline Fill of_daemon(const Pieces& pieces) { return nest(IPVS_CMD_ATTR_DAEMON, pieces); }

// What of a message a client looks at.
struct Seen {
  Message message;
  int error = 0;  // of NLMSG_ERROR and NLMSG_DONE: the errno
  std::uint8_t command = 0;
  ByteView attributes;  // behind the header of generic netlink
};

inline std::vector<Seen> messages_of(ByteView datagram) {
  std::vector<Seen> all;
  while (const auto message = next_message(datagram)) {
    Seen seen;
    seen.message = *message;
    const bool is_error = message->type == NLMSG_ERROR || message->type == NLMSG_DONE;
    if (is_error && message->payload.size() >= 4) {
      std::int32_t code = 0;
      std::memcpy(&code, message->payload.data(), sizeof code);
      seen.error = -code;
    } else if (message->payload.size() >= sizeof(genlmsghdr)) {
      seen.command = message->payload[0];
      seen.attributes = message->payload.subspan(sizeof(genlmsghdr));
    }
    all.push_back(seen);
  }
  return all;
}

// Every attribute of a level, whatever its shape.
inline Attributes attributes_of(ByteView bytes) {
  std::vector<Rule> rules;
  for (std::uint16_t type = 1; type < Attributes::kMost; ++type) rules.push_back({type});
  Attributes attributes;
  (void)attributes.read(bytes, rules);
  return attributes;
}

}  // namespace limpet::ipvs_netlink
