// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a unix socket.
#pragma once

#include <sys/types.h>

#include <optional>

namespace limpet {

// The group `limpet`, if this host has one: its members may use limpetd besides root.
std::optional<gid_t> limpet_group();

// Whether the process at the other end is root, this process's own user or in `group`. The socket's mode says so
// already; a run directory that someone opened by chmod must not be enough.
bool peer_is_allowed(int connection, std::optional<gid_t> group);

}  // namespace limpet
