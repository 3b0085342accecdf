// SPDX-License-Identifier: Apache-2.0
// Which network namespace a socket belongs to: a unix socket crosses namespaces, and `ip netns exec X limpetadm` must
// never drive another namespace's director.
#pragma once

#include <cstdint>
#include <optional>

namespace limpet {

// SO_NETNS_COOKIE of the socket; none on a kernel without it (before 5.14). An accepted unix socket is of the namespace
// from which its client connected (af_unix.c, unix_stream_connect()).
std::optional<std::uint64_t> network_namespace_of(int socket);

// The same for this process, through a socket of its own.
std::optional<std::uint64_t> own_network_namespace();

}  // namespace limpet
