// SPDX-License-Identifier: Apache-2.0
// One option at a time: values into the draft, or the message ipvsadm has for it.
#include "ipvsadm/draft.h"

#include <cstdint>
#include <cstdlib>

#include "ipvsadm/daemon_options.h"
#include "ipvsadm/values.h"

namespace limpet::ipvsadm {
namespace {

constexpr std::uint32_t kWholeIpv6Address = 128;
constexpr std::int64_t kMaxThreshold = 2147483647;
constexpr std::size_t kMaxName = 15;  // of a scheduler or persistence engine: IP_VS_SCHEDNAME_MAXLEN less the NUL

Checked set(Draft& draft, Option option) {
  if (draft.options.has(option)) return fail("multiple '" + std::string(option_name(option)) + "' options specified");
  draft.options.add(option);
  return std::nullopt;
}

void set_family(Draft& draft, Family family) {
  draft.family = family;
  // Whatever -M said before an IPv6 address is lost, as with ipvsadm.
  if (family == Family::ipv6) draft.service.netmask = kWholeIpv6Address;
}

Checked take_address_service(Draft& draft, Protocol protocol, const std::string& text, const Names& names) {
  if (auto twice = set(draft, Option::service_address)) return twice;
  draft.protocol = protocol;
  const auto parsed = endpoint(text, protocol, names);
  if (!parsed) return fail("illegal virtual server address[:port] specified");
  draft.address = parsed->address;
  draft.port = parsed->port.value_or(Port{});
  set_family(draft, parsed->address.family());
  return std::nullopt;
}

Checked take_mark_service(Draft& draft, const std::string& text) {
  if (auto twice = set(draft, Option::service_address)) return twice;
  draft.protocol = Protocol::tcp;  // in whose list a server's port name is looked up
  const auto value = mark(text);
  if (!value) return fail("invalid fwmark value `" + text + "' specified");
  draft.mark = *value;
  return std::nullopt;
}

Checked take_ipv6(Draft& draft) {
  if (draft.mark.value == 0) return fail("-6 used before -f\n");
  set_family(draft, Family::ipv6);
  return std::nullopt;
}

Checked take_persistent(Draft& draft, const std::optional<std::string>& text) {
  if (auto twice = set(draft, Option::persistent)) return twice;
  draft.service.persistent = true;
  draft.service.timeout = kDefaultPersistenceSeconds;
  if (!text) return std::nullopt;
  const auto seconds = number(*text, 1, kMaxTimeoutSeconds);
  if (!seconds) return fail("invalid timeout value `" + *text + "' specified");
  draft.service.timeout = static_cast<std::uint32_t>(*seconds);
  return std::nullopt;
}

Checked take_netmask(Draft& draft, const std::string& text, const Names& names) {
  if (auto twice = set(draft, Option::netmask)) return twice;
  if (draft.family == Family::ipv6) {
    const auto length = std::atoi(text.c_str());
    if (length < 1 || length > 128) return fail("illegal ipv6 netmask specified");
    draft.service.netmask = static_cast<std::uint32_t>(length);
    return std::nullopt;
  }
  const auto mask = netmask(text, names);
  if (!mask) return fail("illegal virtual server persistent mask specified");
  draft.service.netmask = *mask;
  return std::nullopt;
}

Checked take_real_server(Draft& draft, const std::string& text, const Names& names) {
  if (auto twice = set(draft, Option::real_server)) return twice;
  const auto parsed = endpoint(text, draft.protocol, names);
  if (!parsed) return fail("illegal real server address[:port] specified");
  // A service that comes behind -r is not known yet: then its port is 0 here, as with ipvsadm.
  draft.destination.key = {parsed->address, parsed->port.value_or(draft.port)};
  return std::nullopt;
}

Checked take_method(Draft& draft, ForwardingMethod method) {
  if (auto twice = set(draft, Option::forwarding_method)) return twice;
  draft.destination.method = method;
  return std::nullopt;
}

Checked take_number(Draft& draft, Option option, std::uint32_t& value, const std::string& text, const char* name,
                    std::int64_t max) {
  if (auto twice = set(draft, option)) return twice;
  const auto parsed = number(text, 0, max);
  if (!parsed) return fail(std::string("illegal ") + name + " specified");
  value = static_cast<std::uint32_t>(*parsed);
  return std::nullopt;
}

Checked take_name(Draft& draft, Option option, std::string& value, const std::string& text) {
  if (auto twice = set(draft, option)) return twice;
  value = text.substr(0, kMaxName);
  return std::nullopt;
}

Checked take_flag(Draft& draft, Option option, bool& value) {
  if (auto twice = set(draft, option)) return twice;
  value = true;
  return std::nullopt;
}

Checked take_tunnel_type(Draft& draft, const std::string& text) {
  if (auto twice = set(draft, Option::tun_type)) return twice;
  auto& type = draft.destination.tunnel.type;
  if (text == "ipip") {
    type = TunnelType::ipip;
  } else if (text == "gue") {
    type = TunnelType::gue;
  } else if (text == "gre") {
    type = TunnelType::gre;
  } else {
    return fail("illegal tunnel type specified");
  }
  return std::nullopt;
}

Checked take_tunnel_port(Draft& draft, const std::string& text) {
  if (auto twice = set(draft, Option::tun_port)) return twice;
  const auto port = number(text, 1, 65535);
  if (!port) return fail("illegal tunnel port specified");
  draft.destination.tunnel.port.value = static_cast<std::uint16_t>(*port);
  return std::nullopt;
}

Checked take_tunnel_flags(Draft& draft, Option option, std::uint16_t flags) {
  if (auto twice = set(draft, option)) return twice;
  draft.destination.tunnel.flags = flags;
  return std::nullopt;
}

Checked take_list_option(Draft& draft, Token token, const std::string& word) {
  auto& format = draft.format;
  switch (token) {
    case Token::numeric:
      return take_flag(draft, Option::numeric, format.numeric);
    case Token::stats:
      return take_flag(draft, Option::stats, format.stats);
    case Token::rate:
      return take_flag(draft, Option::rate, format.rate);
    case Token::thresholds:
      return take_flag(draft, Option::thresholds, format.thresholds);
    case Token::persistent_conn:
      return take_flag(draft, Option::persistent_conn, format.persistent_conn);
    case Token::tun_info:
      return take_flag(draft, Option::tun_info, format.tun_info);
    case Token::exact:
      return take_flag(draft, Option::exact, format.exact);
    case Token::connection:
      return set(draft, Option::connection);
    case Token::timeout:
      return set(draft, Option::timeout);
    case Token::daemon:
      return set(draft, Option::daemon);
    case Token::sort:
      return std::nullopt;  // the default; kept for old scripts
    case Token::nosort:
      format.sorted = false;
      return set(draft, Option::nosort);
    case Token::atomic:
      return set(draft, Option::atomic);
    default:
      return fail("invalid option `" + word + "'");  // a second command
  }
}

Checked take_server_option(Draft& draft, Token token, const std::string& text, const std::string& word) {
  auto& destination = draft.destination;
  switch (token) {
    case Token::masquerading:
      return take_method(draft, ForwardingMethod::masq);
    case Token::ipip:
      return take_method(draft, ForwardingMethod::tunnel);
    case Token::gatewaying:
      return take_method(draft, ForwardingMethod::route);
    case Token::weight:
      return take_number(draft, Option::weight, destination.weight, text, "weight", std::int64_t{kMaxWeight});
    case Token::u_threshold:
      return take_number(draft, Option::u_threshold, destination.upper_threshold, text, "u_threshold", kMaxThreshold);
    case Token::l_threshold:
      return take_number(draft, Option::l_threshold, destination.lower_threshold, text, "l_threshold", kMaxThreshold);
    case Token::tun_type:
      return take_tunnel_type(draft, text);
    case Token::tun_port:
      return take_tunnel_port(draft, text);
    case Token::tun_nocsum:
      return take_tunnel_flags(draft, Option::tun_nocsum, 0);
    case Token::tun_csum:
      return take_tunnel_flags(draft, Option::tun_csum, 1);
    case Token::tun_remcsum:
      return take_tunnel_flags(draft, Option::tun_remcsum, 2);
    default:
      return take_list_option(draft, token, word);
  }
}

}  // namespace

ServiceKey Draft::key() const {
  if (mark.value != 0) return ServiceKey::of_mark(mark, family);
  return ServiceKey::of_address(protocol, address, port);
}

Checked take_option(Draft& draft, const OptionScanner::Option& option, const std::string& word, const Names& names) {
  const auto token = static_cast<Token>(option.id);
  const auto text = option.argument.value_or("");
  switch (token) {
    case Token::tcp_service:
      return take_address_service(draft, Protocol::tcp, text, names);
    case Token::udp_service:
      return take_address_service(draft, Protocol::udp, text, names);
    case Token::sctp_service:
      return take_address_service(draft, Protocol::sctp, text, names);
    case Token::fwmark_service:
      return take_mark_service(draft, text);
    case Token::ipv6:
      return take_ipv6(draft);
    case Token::scheduler:
      return take_name(draft, Option::scheduler, draft.service.scheduler, text);
    case Token::persistent:
      return take_persistent(draft, option.argument);
    case Token::netmask:
      return take_netmask(draft, text, names);
    case Token::ops:
      return take_flag(draft, Option::ops, draft.service.one_packet);
    case Token::pe:
      return take_name(draft, Option::pe, draft.service.persistence_engine, text);
    case Token::sched_flags:
      draft.scheduler_flags = text;
      return set(draft, Option::sched_flags);
    case Token::real_server:
      return take_real_server(draft, text, names);
    case Token::mcast_interface:
    case Token::syncid:
    case Token::mcast_group:
    case Token::mcast_port:
    case Token::mcast_ttl:
    case Token::sync_maxlen: {
      const auto [which, failure] = take_daemon_option(draft.sync_daemon, token, text);
      if (auto twice = set(draft, which)) return twice;
      return failure;
    }
    default:
      return take_server_option(draft, token, text, word);
  }
}

}  // namespace limpet::ipvsadm
