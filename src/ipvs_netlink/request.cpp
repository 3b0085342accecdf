// SPDX-License-Identifier: Apache-2.0
// The commands, and what each needs.
#include "ipvs_netlink/request.h"

#include <linux/ip_vs.h>

#include <cerrno>

#include "ipvs_netlink/objects.h"

namespace limpet::ipvs_netlink {
namespace {

constexpr Rule kCommandRules[] = {
    {IPVS_CMD_ATTR_SERVICE, Shape::nested},
    {IPVS_CMD_ATTR_DEST, Shape::nested},
    {IPVS_CMD_ATTR_DAEMON, Shape::nested},
    {IPVS_CMD_ATTR_TIMEOUT_TCP, Shape::at_least, 4},
    {IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, Shape::at_least, 4},
    {IPVS_CMD_ATTR_TIMEOUT_UDP, Shape::at_least, 4},
};

std::optional<ByteView> nested(const Attributes& attributes, std::uint16_t type) {
  if (!attributes.has(type)) return std::nullopt;
  return attributes.bytes(type);
}

Request read_timeouts(const Attributes& attributes) {
  SetTimeouts set{{0, 0, 0}};  // one that is not there stays as it is
  const auto take = [&](std::uint16_t type, std::uint32_t& seconds) {
    if (attributes.has(type)) seconds = attributes.u32(type);
  };
  take(IPVS_CMD_ATTR_TIMEOUT_TCP, set.timeouts.tcp);
  take(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, set.timeouts.tcp_fin);
  take(IPVS_CMD_ATTR_TIMEOUT_UDP, set.timeouts.udp);
  return Command{set};
}

Request read_destination_command(std::uint8_t command, const NamedService& named,
                                 const std::optional<ByteView>& attribute, const FindService& find) {
  if (!named.can_be) return Refused{ESRCH};
  const auto destination = read_destination(attribute, named.key.family, command != IPVS_CMD_DEL_DEST);
  if (const auto* refused = std::get_if<Refused>(&destination)) {
    return find(named.key) ? *refused : Refused{ESRCH};
  }
  const auto& read = std::get<Destination>(destination);
  if (command == IPVS_CMD_NEW_DEST) return Command{AddDestination{named.key, read}};
  if (command == IPVS_CMD_SET_DEST) return Command{EditDestination{named.key, read}};
  return Command{DeleteDestination{named.key, read.key}};
}

Request read_service_command(std::uint8_t command, const Attributes& attributes, const FindService& find) {
  const auto attribute = nested(attributes, IPVS_CMD_ATTR_SERVICE);
  if (command == IPVS_CMD_NEW_SERVICE || command == IPVS_CMD_SET_SERVICE) {
    auto service = read_service(attribute, find);
    if (const auto* refused = std::get_if<Refused>(&service)) return *refused;
    auto& read = std::get<NamedService>(service);
    if (command == IPVS_CMD_NEW_SERVICE) {
      return read.can_be ? Request{Command{AddService{read.service}}} : Refused{EPROTONOSUPPORT};
    }
    return read.can_be ? Request{Command{EditService{read.service}}} : Refused{ESRCH};
  }
  const auto name = read_service_name(attribute);
  if (const auto* refused = std::get_if<Refused>(&name)) return *refused;
  const auto& named = std::get<NamedService>(name);
  switch (command) {
    case IPVS_CMD_NEW_DEST:
    case IPVS_CMD_SET_DEST:
    case IPVS_CMD_DEL_DEST:
      return read_destination_command(command, named, nested(attributes, IPVS_CMD_ATTR_DEST), find);
    default:
      break;
  }
  if (!named.can_be) return Refused{ESRCH};
  if (command == IPVS_CMD_DEL_SERVICE) return Command{DeleteService{named.key}};
  if (command == IPVS_CMD_GET_SERVICE) return ShowService{named.key};
  return Command{Zero{named.key}};
}

Request read_daemon_command(std::uint8_t command, const Attributes& attributes) {
  const auto attribute = nested(attributes, IPVS_CMD_ATTR_DAEMON);
  if (command == IPVS_CMD_DEL_DAEMON) {
    const auto role = read_daemon_role(attribute);
    if (const auto* refused = std::get_if<Refused>(&role)) return *refused;
    return Command{StopSyncDaemon{std::get<SyncRole>(role)}};
  }
  const auto daemon = read_daemon(attribute);
  if (const auto* refused = std::get_if<Refused>(&daemon)) return *refused;
  return Command{StartSyncDaemon{std::get<SyncDaemon>(daemon)}};
}

// The attributes of a list are looked at by nobody but the list of destinations, which is empty where they are wrong.
Request read_list(std::uint8_t command, ByteView bytes) {
  if (command == IPVS_CMD_GET_SERVICE) return ListServices{};
  if (command == IPVS_CMD_GET_DAEMON) return ListDaemons{};
  Attributes attributes;
  if (attributes.read(bytes, kCommandRules) != 0) return ListDestinations{};
  const auto name = read_service_name(nested(attributes, IPVS_CMD_ATTR_SERVICE));
  const auto* named = std::get_if<NamedService>(&name);
  if (named == nullptr || !named->can_be) return ListDestinations{};
  return ListDestinations{named->key};
}

}  // namespace

bool is_operation(std::uint8_t command, bool dump) {
  const bool only_lists = command == IPVS_CMD_GET_DEST || command == IPVS_CMD_GET_DAEMON;
  if (dump) return only_lists || command == IPVS_CMD_GET_SERVICE;
  return command >= IPVS_CMD_NEW_SERVICE && command <= IPVS_CMD_MAX && command != IPVS_CMD_SET_INFO && !only_lists;
}

Request read_request(std::uint8_t command, bool dump, ByteView bytes, const FindService& find) {
  if (!is_operation(command, dump)) return Refused{EOPNOTSUPP};
  if (dump) return read_list(command, bytes);
  Attributes attributes;
  if (const int error = attributes.read(bytes, kCommandRules); error != 0) return Refused{error};
  switch (command) {
    case IPVS_CMD_FLUSH:
      return Command{Flush{}};
    case IPVS_CMD_SET_CONFIG:
      return read_timeouts(attributes);
    case IPVS_CMD_GET_CONFIG:
      return ShowTimeouts{};
    case IPVS_CMD_GET_INFO:
      return ShowInfo{};
    case IPVS_CMD_NEW_DAEMON:
    case IPVS_CMD_DEL_DAEMON:
      return read_daemon_command(command, attributes);
    case IPVS_CMD_ZERO:
      if (!attributes.has(IPVS_CMD_ATTR_SERVICE)) return Command{Zero{}};
      break;
    default:
      break;
  }
  return read_service_command(command, attributes, find);
}

}  // namespace limpet::ipvs_netlink
