// SPDX-License-Identifier: Apache-2.0
// The number by which the kernel tells network namespaces apart.
#pragma once

#include <cstdint>

namespace limpet::network {

// SO_NETNS_COOKIE of the calling thread's network namespace: never reused until reboot. 0: the kernel did not say.
std::uint64_t network_namespace_cookie();

}  // namespace limpet::network
