// SPDX-License-Identifier: Apache-2.0
// What is fuzzed of the netlink server: any bytes as a datagram. Ends the process where a refused message has changed
// the table, or an answer is malformed.
#pragma once

#include <cstdint>
#include <span>

namespace limpet::fuzz {

void answer_datagram(std::span<const std::uint8_t> bytes);

}  // namespace limpet::fuzz
