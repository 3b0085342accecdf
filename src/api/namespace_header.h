// SPDX-License-Identifier: Apache-2.0
// How a client says in which network namespace it is.
#pragma once

namespace limpet::api {

// Carries the SO_NETNS_COOKIE of the client's socket in decimal.
inline constexpr const char* kNamespaceHeader = "Limpet-Network-Namespace";

}  // namespace limpet::api
