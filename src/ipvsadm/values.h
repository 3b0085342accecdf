// SPDX-License-Identifier: Apache-2.0
// The arguments of ipvsadm's options: numbers, marks, addresses with ports, masks, scheduler flags.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "ipvsadm/names.h"
#include "ipvsadm/parse_result.h"
#include "model/address.h"

namespace limpet::ipvsadm {

// As strtol reads it: leading blanks and a sign are fine, anything behind the digits is not.
std::optional<std::int64_t> number(const std::string& text, std::int64_t min, std::int64_t max);

std::optional<Mark> mark(const std::string& text);  // 1..4294967295

struct ParsedEndpoint {
  Address address;
  std::optional<Port> port;  // nullopt: none was given
};
// host[:port], [v6]:port or v6; `protocol` decides in which list a port's name is looked up.
std::optional<ParsedEndpoint> endpoint(const std::string& text, Protocol protocol, const Names& names);

// "255.255.255.0", but also everything inet_aton takes ("24" is 0.0.0.24) and host names. Network order.
std::optional<std::uint32_t> netmask(const std::string& text, const Names& names);

// "sh-port,sh-fallback" as SchedulerFlags.
std::variant<std::uint32_t, ParseFailure> scheduler_flags(const std::string& text, const std::string& scheduler);
// The inverse, for listings: "" when there are none that have a name.
std::string scheduler_flags_to_string(std::uint32_t flags, const std::string& scheduler);

}  // namespace limpet::ipvsadm
