// SPDX-License-Identifier: Apache-2.0
// Reads option arguments as leniently and as strictly as ipvsadm does.
#include "ipvsadm/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "model/service.h"

namespace limpet::ipvsadm {
namespace {

bool all_digits(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char letter) { return letter >= '0' && letter <= '9'; });
}

// inet_aton: also "1.2.3", "0x7f.1" and "12345".
std::optional<Address> ipv4_literal_or_name(const std::string& text, const Names& names) {
  in_addr address{};
  if (inet_aton(text.c_str(), &address) != 0) return Address::ipv4(address.s_addr);
  return names.host_address(text);
}

std::optional<Port> port(const std::string& text, Protocol protocol, const Names& names) {
  if (const auto value = number(text, 0, 65535)) return Port{static_cast<std::uint16_t>(*value)};
  return names.service_port(text, protocol);
}

struct FlagName {
  std::string_view name;
  std::string_view scheduler;  // empty: any
  std::uint32_t flag;
};
// maglev, which ipvsadm does not know, has mh's.
std::string_view names_flags_as(std::string_view scheduler) { return scheduler == "maglev" ? "mh" : scheduler; }

constexpr std::array<FlagName, 7> kFlagNames = {{{"sh-fallback", "sh", sched_flag_1},
                                                 {"sh-port", "sh", sched_flag_2},
                                                 {"mh-fallback", "mh", sched_flag_1},
                                                 {"mh-port", "mh", sched_flag_2},
                                                 {"flag-1", "", sched_flag_1},
                                                 {"flag-2", "", sched_flag_2},
                                                 {"flag-3", "", sched_flag_3}}};

}  // namespace

std::optional<std::int64_t> number(const std::string& text, std::int64_t min, std::int64_t max) {
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (end == text.c_str() || *end != '\0' || errno == ERANGE || value < min || value > max) return std::nullopt;
  return value;
}

std::optional<Mark> mark(const std::string& text) {
  const auto value = number(text, 1, 0xffffffff);
  if (!value) return std::nullopt;
  return Mark{static_cast<std::uint32_t>(*value)};
}

std::optional<ParsedEndpoint> endpoint(const std::string& text, Protocol protocol, const Names& names) {
  if (all_digits(text)) return std::nullopt;  // the empty text included
  std::string host = text;
  std::optional<std::string> port_text;
  if (host.front() == '[') {
    const auto bracket = host.find(']');
    if (bracket == std::string::npos || host.substr(bracket + 1, 1) != ":") return std::nullopt;
    port_text = host.substr(bracket + 2);
    host = host.substr(1, bracket - 1);
  }

  std::optional<Address> address;
  if (in6_addr six{}; inet_pton(AF_INET6, host.c_str(), &six) == 1) {
    address = Address::parse(host);
  } else {
    // ipvsadm looks for the port of anything but IPv6 behind the last colon, so that in "[192.0.2.1]:80" it is lost.
    port_text.reset();
    if (const auto colon = host.rfind(':'); colon != std::string::npos) {
      port_text = host.substr(colon + 1);
      host.resize(colon);
    }
    address = ipv4_literal_or_name(host, names);
  }
  if (!address) return std::nullopt;
  if (!port_text) return ParsedEndpoint{*address, std::nullopt};
  const auto value = port(*port_text, protocol, names);
  if (!value) return std::nullopt;
  return ParsedEndpoint{*address, value};
}

std::optional<std::uint32_t> netmask(const std::string& text, const Names& names) {
  const auto address = ipv4_literal_or_name(text, names);
  if (!address) return std::nullopt;
  return address->ipv4_network_order();
}

std::variant<std::uint32_t, ParseFailure> scheduler_flags(const std::string& text, const std::string& scheduler) {
  std::uint32_t flags = 0;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto comma = std::min(text.find(',', begin), text.size());
    const auto flag = text.substr(begin, comma - begin);
    begin = comma + 1;
    if (flag.empty()) continue;
    const auto known =
        std::find_if(kFlagNames.begin(), kFlagNames.end(), [&](const FlagName& each) { return each.name == flag; });
    if (known == kFlagNames.end()) return fail("invalid scheduler flag `" + flag + "'");
    if (!known->scheduler.empty() && known->scheduler != names_flags_as(scheduler)) {
      return fail("incompatible scheduler flag `" + flag + "'");
    }
    flags |= known->flag;
  }
  return flags;
}

std::string scheduler_flags_to_string(std::uint32_t flags, const std::string& scheduler) {
  const std::string_view family = names_flags_as(scheduler);
  const std::string_view with_own_names = family == "sh" || family == "mh" ? family : "";
  std::string result;
  for (const auto& each : kFlagNames) {
    if (each.scheduler != with_own_names || (flags & each.flag) == 0) continue;
    if (!result.empty()) result += ',';
    result += each.name;
  }
  return result;
}

}  // namespace limpet::ipvsadm
