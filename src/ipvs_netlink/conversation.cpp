// SPDX-License-Identifier: Apache-2.0
// Who is asked, and in which form that answers: netlink_rcv_skb(), genl_rcv_msg() and nlctrl, as far as a client of
// IPVS meets them.
#include "ipvs_netlink/conversation.h"

#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

#include "ipvs_netlink/errors.h"
#include "ipvs_netlink/objects.h"
#include "ipvs_netlink/proc_text.h"
#include "ipvs_netlink/protocol.h"
#include "ipvs_netlink/request.h"

namespace limpet::ipvs_netlink {
namespace {

constexpr std::uint32_t kVersion = 0x010201;      // as of every kernel since 2.6
constexpr std::uint32_t kConnectionTable = 4096;  // the kernel's usual size; ipvsadm prints it

// NLMSG_ERROR with 0 is an acknowledgement, and quotes the header. A refusal quotes the message.
Bytes acknowledgement(const Message& message, int error) {
  Writer writer;
  const auto mark = writer.begin_message(NLMSG_ERROR, error == 0 ? NLM_F_CAPPED : 0, message.sequence, message.port);
  const std::int32_t code = -error;
  writer.append({reinterpret_cast<const std::uint8_t*>(&code), sizeof code});
  writer.append(error == 0 ? message.whole.first(sizeof(nlmsghdr)) : message.whole);
  writer.end_message(mark);
  return writer.take();
}

template <class Write>
Bytes reply(const Message& message, std::uint16_t family, std::uint8_t command, std::uint8_t version, Write write) {
  Writer writer;
  const auto mark = writer.begin_generic(family, 0, message.sequence, message.port, command, version);
  write(writer);
  writer.end_message(mark);
  return writer.take();
}

template <class Write>
Bytes ipvs_reply(const Message& message, std::uint8_t command, Write write) {
  return reply(message, LIMPET_IPVS_FAMILY, command, IPVS_GENL_VERSION, write);
}

bool wants_dump(const Message& message) { return (message.flags & NLM_F_DUMP) == NLM_F_DUMP; }

// What came of a request: 0 or an errno; what it answers is in `to`.
class Dispatcher {
 public:
  Dispatcher(Director& director, const Message& message, Answer& to)
      : director_(director), message_(message), to_(to) {}

  int operator()(const Refused& refused) const { return refused.error; }
  int operator()(const Command& command) const {
    to_.changed = true;
    const auto done = director_.execute(command);
    if (done) return 0;
    // A program has only the number to show.
    const auto code = done.error().code;
    if (code == ErrorCode::not_supported || code == ErrorCode::no_space || code == ErrorCode::internal) {
      spdlog::warn("refused over netlink: {}", done.error().text);
    }
    return errno_of(done.error(), command);
  }
  int operator()(const ListServices&) const {
    to_.dump = dump_services(director_, origin());
    return 0;
  }
  int operator()(const ListDestinations& list) const {
    std::optional<ServiceView> view;
    if (list.service) {
      if (auto found = director_.service(*list.service)) view = std::move(*found);
    }
    to_.dump = dump_destinations(std::move(view), origin());
    return 0;
  }
  int operator()(const ListDaemons&) const {
    to_.dump = dump_daemons(director_.sync_daemons(), origin());
    return 0;
  }
  int operator()(const ShowService& show) const {
    const auto view = director_.service(show.key);
    if (!view) return ESRCH;
    add(IPVS_CMD_NEW_SERVICE, [&](Writer& to) { write_service(to, *view); });
    return 0;
  }
  int operator()(const ShowTimeouts&) const {
    const Timeouts timeouts = director_.timeouts();
    add(IPVS_CMD_SET_CONFIG, [&](Writer& to) {
      to.put_u32(IPVS_CMD_ATTR_TIMEOUT_TCP, timeouts.tcp);
      to.put_u32(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, timeouts.tcp_fin);
      to.put_u32(IPVS_CMD_ATTR_TIMEOUT_UDP, timeouts.udp);
    });
    return 0;
  }
  int operator()(const ShowInfo&) const {
    add(IPVS_CMD_SET_INFO, [](Writer& to) {
      to.put_u32(IPVS_INFO_ATTR_VERSION, kVersion);
      to.put_u32(IPVS_INFO_ATTR_CONN_TAB_SIZE, kConnectionTable);
    });
    return 0;
  }

 private:
  Origin origin() const { return {message_.sequence, message_.port}; }
  template <class Write>
  void add(std::uint8_t command, Write write) const {
    to_.datagrams.push_back(ipvs_reply(message_, command, write));
  }

  Director& director_;
  const Message& message_;
  Answer& to_;
};

int ask_family(Director& director, Rights rights, const Message& message, Answer& to) {
  genlmsghdr header{};
  if (message.payload.size() < sizeof header) return EINVAL;
  std::memcpy(&header, message.payload.data(), sizeof header);
  if (!is_operation(header.cmd, wants_dump(message))) return EOPNOTSUPP;
  if (rights == Rights::none) return EPERM;
  const auto find = [&director](const ServiceKey& key) -> std::optional<Service> {
    const auto view = director.service(key);
    if (!view) return std::nullopt;
    return view->service;
  };
  const auto request = read_request(header.cmd, wants_dump(message), message.payload.subspan(sizeof header), find);
  return std::visit(Dispatcher(director, message, to), request);
}

void write_family(Writer& to) {
  to.put_text(CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME);
  to.put_u16(CTRL_ATTR_FAMILY_ID, LIMPET_IPVS_FAMILY);
  to.put_u32(CTRL_ATTR_VERSION, IPVS_GENL_VERSION);
  to.put_u32(CTRL_ATTR_HDRSIZE, 0);
  to.put_u32(CTRL_ATTR_MAXATTR, IPVS_CMD_ATTR_MAX);
}

int ask_controller(const Message& message, Answer& to) {
  constexpr Rule kRules[] = {{CTRL_ATTR_FAMILY_NAME, Shape::text, GENL_NAMSIZ - 1}};
  genlmsghdr header{};
  if (message.payload.size() < sizeof header) return EINVAL;
  std::memcpy(&header, message.payload.data(), sizeof header);
  if (header.cmd != CTRL_CMD_GETFAMILY || wants_dump(message)) return EOPNOTSUPP;
  Attributes attributes;
  if (const int error = attributes.read(message.payload.subspan(sizeof header), kRules); error != 0) return error;
  if (!attributes.has(CTRL_ATTR_FAMILY_NAME)) return EINVAL;
  if (attributes.text(CTRL_ATTR_FAMILY_NAME) != IPVS_GENL_NAME) return ENOENT;
  constexpr std::uint8_t kControllerVersion = 2;
  to.datagrams.push_back(reply(message, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY, kControllerVersion, write_family));
  return 0;
}

int ask_file(Rights rights, const Message& message, Answer& to) {
  if (rights == Rights::none) return EACCES;
  std::string name(message.payload.begin(), message.payload.end());
  name.resize(::strnlen(name.c_str(), name.size()));
  if (!is_proc_file(name)) return ENOENT;
  to.file = std::move(name);
  return 0;
}

int ask(Director& director, Rights rights, const Message& message, Answer& to) {
  if (rights == Rights::absent) return ENOENT;
  switch (message.type) {
    case LIMPET_IPVS_FAMILY:
      return ask_family(director, rights, message, to);
    case LIMPET_IPVS_OPEN:
      return ask_file(rights, message, to);
    case GENL_ID_CTRL:
      return ask_controller(message, to);
    default:
      return ENOENT;
  }
}

}  // namespace

Answer answer(Director& director, Rights rights, const Message& message) {
  Answer to;
  const bool asks = (message.flags & NLM_F_REQUEST) != 0 && message.type >= NLMSG_MIN_TYPE;
  const int error = asks ? ask(director, rights, message, to) : 0;
  // A list is acknowledged by its end; a file comes with its acknowledgement.
  const bool acknowledged = (message.flags & NLM_F_ACK) != 0 || !to.file.empty();
  if (error != 0 || (acknowledged && !to.dump)) {
    to.datagrams.push_back(acknowledgement(message, error));
  }
  return to;
}

}  // namespace limpet::ipvs_netlink
