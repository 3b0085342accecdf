// SPDX-License-Identifier: Apache-2.0
// The bitmap that lets bystanders go by.
#include "dataplane/address_bits.h"

namespace limpet::dataplane {

void AddressBits::set(unsigned bank, std::uint32_t bit) {
  __u64& word = object_.addresses[0].bank[bank & 1U][bit / 64];
  const __u64 mask = 1ULL << (bit % 64);
  if ((__atomic_load_n(&word, __ATOMIC_RELAXED) & mask) == 0) __atomic_fetch_or(&word, mask, __ATOMIC_SEQ_CST);
}

void AddressBits::add(const Address& address) {
  if (address.family() != Family::ipv4) return;
  const std::uint32_t bit = address4_bit(address.ipv4_network_order());
  set(0, bit);
  set(1, bit);
}

void AddressBits::begin_rebuild() {
  for (__u64& word : object_.addresses[0].bank[idle_bank()]) __atomic_store_n(&word, 0, __ATOMIC_SEQ_CST);
}

void AddressBits::keep(std::uint32_t network_order) { set(idle_bank(), address4_bit(network_order)); }

void AddressBits::end_rebuild() { store_word(object_.config[0].active_bank, idle_bank()); }

}  // namespace limpet::dataplane
