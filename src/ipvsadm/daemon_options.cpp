// SPDX-License-Identifier: Apache-2.0
// Ranges of the synchronisation daemons' options.
#include "ipvsadm/daemon_options.h"

#include "ipvsadm/values.h"
#include "model/address.h"

namespace limpet::ipvsadm {
namespace {

Checked in_range(const std::string& text, int min, int max, const char* name) {
  if (number(text, min, max)) return std::nullopt;
  return fail(std::string("illegal ") + name + " specified");
}

Checked multicast(const std::string& text) {
  const auto family = text.find(':') == std::string::npos ? Family::ipv4 : Family::ipv6;
  const auto address = Address::parse(text);
  if (address && address->family() == family && address->is_multicast()) return std::nullopt;
  return fail(std::string("invalid ") + (family == Family::ipv4 ? "IPv4" : "IPv6") + " mcast-group `" + text + "'");
}

}  // namespace

DaemonOption check_daemon_option(Token token, const std::string& text) {
  constexpr int kMaxDatagram = 65535 - 20 - 8;
  switch (token) {
    case Token::syncid:
      return {Option::syncid, in_range(text, 0, 255, "syncid")};
    case Token::mcast_group:
      return {Option::mcast_group, multicast(text)};
    case Token::mcast_port:
      return {Option::mcast_port, in_range(text, 1, 65535, "mcast-port")};
    case Token::mcast_ttl:
      return {Option::mcast_ttl, in_range(text, 1, 255, "mcast-ttl")};
    case Token::sync_maxlen:
      return {Option::sync_maxlen, in_range(text, 1, kMaxDatagram, "sync-maxlen")};
    default:
      return {Option::mcast_interface, std::nullopt};
  }
}

}  // namespace limpet::ipvsadm
