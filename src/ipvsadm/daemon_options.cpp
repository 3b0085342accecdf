// SPDX-License-Identifier: Apache-2.0
// Synchronisation daemons' options, with ipvsadm's ranges.
#include "ipvsadm/daemon_options.h"

#include <cstddef>

#include "ipvsadm/values.h"

namespace limpet::ipvsadm {
namespace {

constexpr std::size_t kMaxInterfaceName = 15;  // IP_VS_IFNAME_MAXLEN less the NUL
constexpr int kMaxDatagram = 65535 - 20 - 8;

template <class Value>
Checked take(Value& value, const std::string& text, int min, int max, const char* name) {
  const auto parsed = number(text, min, max);
  if (!parsed) return fail(std::string("illegal ") + name + " specified");
  value = static_cast<Value>(*parsed);
  return std::nullopt;
}

Checked take_group(Address& group, const std::string& text) {
  const auto family = text.find(':') == std::string::npos ? Family::ipv4 : Family::ipv6;
  const auto address = Address::parse(text);
  if (!address || address->family() != family || !address->is_multicast()) {
    return fail(std::string("invalid ") + (family == Family::ipv4 ? "IPv4" : "IPv6") + " mcast-group `" + text + "'");
  }
  group = *address;
  return std::nullopt;
}

}  // namespace

DaemonOption take_daemon_option(SyncDaemon& daemon, Token token, const std::string& text) {
  switch (token) {
    case Token::syncid:
      return {Option::syncid, take(daemon.sync_id, text, 0, 255, "syncid")};
    case Token::mcast_group:
      return {Option::mcast_group, take_group(daemon.group, text)};
    case Token::mcast_port:
      return {Option::mcast_port, take(daemon.port.value, text, 1, 65535, "mcast-port")};
    case Token::mcast_ttl:
      return {Option::mcast_ttl, take(daemon.ttl, text, 1, 255, "mcast-ttl")};
    case Token::sync_maxlen:
      return {Option::sync_maxlen, take(daemon.max_length, text, 1, kMaxDatagram, "sync-maxlen")};
    default:
      if (!text.empty()) daemon.interface = text.substr(0, kMaxInterfaceName);  // "" is as good as nothing
      return {Option::mcast_interface, std::nullopt};
  }
}

}  // namespace limpet::ipvsadm
