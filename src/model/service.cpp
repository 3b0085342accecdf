// SPDX-License-Identifier: Apache-2.0
// Service names and scheduler names to and from text.
#include "model/service.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace limpet {
namespace {

constexpr std::array<std::string_view, 15> kSchedulerNames = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh",    "sh",
                                                              "mh", "sed", "nq", "fo",  "ovf",  "twos",  "maglev"};
constexpr std::string_view kMark4 = "fwm/";
constexpr std::string_view kMark6 = "fwm6/";

constexpr std::array<std::pair<std::string_view, Protocol>, 3> kProtocolPrefixes = {
    {{"tcp/", Protocol::tcp}, {"udp/", Protocol::udp}, {"sctp/", Protocol::sctp}}};

std::optional<ServiceKey> parse_mark(std::string_view digits, Family family) {
  Mark mark;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), mark.value);
  if (error != std::errc{} || end != digits.data() + digits.size() || mark.value == 0) return std::nullopt;
  return ServiceKey::of_mark(mark, family);
}

}  // namespace

ServiceKey ServiceKey::of_mark(Mark mark, Family family) {
  ServiceKey key;
  key.family = family;
  key.protocol = Protocol::ip;
  if (family == Family::ipv6) key.address = Address::ipv6({});
  key.mark = mark;
  return key;
}

ServiceKey ServiceKey::of_address(Protocol protocol, const Address& address, Port port) {
  return {address.family(), protocol, address, port, Mark{}};
}

std::string ServiceKey::to_string() const {
  if (is_mark()) return std::string(family == Family::ipv4 ? kMark4 : kMark6) + std::to_string(mark.value);
  for (const auto& [prefix, value] : kProtocolPrefixes) {
    if (value == protocol) return std::string(prefix) + endpoint_to_string(address, port);
  }
  return "ip/" + endpoint_to_string(address, port);
}

std::optional<ServiceKey> ServiceKey::parse(std::string_view text) {
  if (text.starts_with(kMark4)) return parse_mark(text.substr(kMark4.size()), Family::ipv4);
  if (text.starts_with(kMark6)) return parse_mark(text.substr(kMark6.size()), Family::ipv6);
  for (const auto& [prefix, protocol] : kProtocolPrefixes) {
    if (!text.starts_with(prefix)) continue;
    const auto endpoint = endpoint_from_string(text.substr(prefix.size()));
    if (!endpoint) return std::nullopt;
    return of_address(protocol, endpoint->address, endpoint->port);
  }
  return std::nullopt;
}

std::optional<Scheduler> scheduler_from_name(std::string_view name) {
  const auto found = std::find(kSchedulerNames.begin(), kSchedulerNames.end(), name);
  if (found == kSchedulerNames.end()) return std::nullopt;
  return static_cast<Scheduler>(found - kSchedulerNames.begin());
}

Hashed hashed_by(const Service& service) {
  switch (scheduler_from_name(service.scheduler).value_or(Scheduler::wlc)) {
    case Scheduler::dh:
      return Hashed::virtual_address;
    case Scheduler::sh:
    case Scheduler::mh:
    case Scheduler::maglev:
      return (service.scheduler_flags & sched_flag_2) != 0 ? Hashed::client_address_and_port : Hashed::client_address;
    default:
      return Hashed::nothing;
  }
}

}  // namespace limpet
