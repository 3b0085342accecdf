// SPDX-License-Identifier: Apache-2.0
// The bitmap that lets bystanders go by: limpetd sets the bits of services and masqueraded servers; packets set those
// of flows; a rebuild drops what no longer concerns us.
#pragma once

#include <cstdint>

#include "dataplane/object.h"
#include "model/address.h"

namespace limpet::dataplane {

// The same as address4_hash() in bpf/address.h.
constexpr std::uint32_t address4_bit(std::uint32_t network_order) { return (network_order * 0x9e3779b1U) >> 16; }

class AddressBits {
 public:
  explicit AddressBits(Object& object) : object_(object) {}

  void add(const Address& address);  // to both banks, at once
  // A rebuild: clear the idle bank, add everything that is there (packets add to both), then switch.
  void begin_rebuild();
  void keep(std::uint32_t network_order);
  void end_rebuild();

 private:
  void set(unsigned bank, std::uint32_t bit);
  unsigned idle_bank() const { return (object_.config[0].active_bank & 1U) ^ 1U; }

  Object& object_;
};

}  // namespace limpet::dataplane
