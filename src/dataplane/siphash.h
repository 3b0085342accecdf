// SPDX-License-Identifier: Apache-2.0
// SipHash-1-3 over words, as bpf/schedule/siphash.h has it: one round a word, three at the end.
#pragma once

#include <bit>
#include <cstdint>

namespace limpet::dataplane {

class SipHash13 {
 public:
  constexpr SipHash13(std::uint64_t key0, std::uint64_t key1)
      : v0_(key0 ^ 0x736f6d6570736575),
        v1_(key1 ^ 0x646f72616e646f6d),
        v2_(key0 ^ 0x6c7967656e657261),
        v3_(key1 ^ 0x7465646279746573) {}

  // The last word holds the number of bytes in its highest byte, and what bytes are left over in the others.
  constexpr SipHash13& add(std::uint64_t word) {
    v3_ ^= word;
    round();
    v0_ ^= word;
    return *this;
  }
  constexpr std::uint64_t end() {
    v2_ ^= 0xff;
    for (int i = 0; i < 3; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  constexpr void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

}  // namespace limpet::dataplane
