// SPDX-License-Identifier: Apache-2.0
// Model values ⇄ the data plane's keys (bpf/abi.h).
#pragma once

#include <cstring>

#include <arpa/inet.h>

#include "bpf/abi.h"
#include "model/service.h"

namespace limpet::dataplane {

inline void put_address(std::uint8_t (&bytes)[16], const Address& address) {
  std::memcpy(bytes, address.bytes().data(), sizeof(bytes));
}

inline Address get_address(const std::uint8_t (&bytes)[16], std::uint8_t family) {
  if (family == LIMPET_IPV6) {
    std::array<std::uint8_t, 16> all{};
    std::memcpy(all.data(), bytes, all.size());
    return Address::ipv6(all);
  }
  std::uint32_t first = 0;
  std::memcpy(&first, bytes, sizeof(first));
  return Address::ipv4(first);
}

inline Port port_of(std::uint16_t network_order) { return Port{ntohs(network_order)}; }

inline limpet_service_key service_key(const ServiceKey& key) {
  limpet_service_key out{};
  out.family = static_cast<std::uint8_t>(key.family);
  if (key.is_mark()) {
    out.mark = key.mark.value;
    return out;
  }
  out.protocol = static_cast<std::uint8_t>(key.protocol);
  out.port = htons(key.port.value);
  put_address(out.address, key.address);
  return out;
}

inline ServiceKey service_key(const limpet_service_key& key) {
  const auto family = static_cast<Family>(key.family);
  if (key.mark != 0) return ServiceKey::of_mark(Mark{key.mark}, family);
  return ServiceKey::of_address(static_cast<Protocol>(key.protocol), get_address(key.address, key.family),
                                port_of(key.port));
}

}  // namespace limpet::dataplane
