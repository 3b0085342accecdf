// SPDX-License-Identifier: Apache-2.0
// A persistent service's netmask in listings and in saved commands.
#pragma once

#include <optional>
#include <string>

#include "model/service.h"

namespace limpet::ipvsadm {

// "255.255.255.0" or "64"; nullopt: the whole address, which nobody writes down.
inline std::optional<std::string> mask_text(const Service& service) {
  if (service.key.family == Family::ipv6) {
    return service.netmask == 128 ? std::nullopt : std::optional(std::to_string(service.netmask));
  }
  return service.netmask == 0xffffffff ? std::nullopt : std::optional(Address::ipv4(service.netmask).to_string());
}

}  // namespace limpet::ipvsadm
