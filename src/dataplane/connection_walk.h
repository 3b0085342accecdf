// SPDX-License-Identifier: Apache-2.0
// Lists templates and flows as the administrator sees them, in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/entry_walk.h"
#include "dataplane/object.h"
#include "model/view.h"

namespace limpet::dataplane {

// An entry as -Lnc shows it.
ConnectionView connection_view(const Object& object, const limpet_flow4_key& key, const limpet_flow& flow,
                               std::uint64_t now);
ConnectionView connection_view(const Object& object, const limpet_template4_key& key, const limpet_template& entry,
                               std::uint64_t now);

// As ip_vs_sched_persist() fills it: the server's port for a port service, none for port 0 and marks.
Port template_server_port(const limpet_template4_key& key, const limpet_destination& destination);

class ConnectionWalk {
 public:
  explicit ConnectionWalk(const Object& object) : object_(object), walk_(object) {}

  // The next piece, which may be empty; nullopt: the end.
  std::optional<std::vector<ConnectionView>> next(std::size_t limit);

 private:
  const Object& object_;
  EntryWalk walk_;
};

}  // namespace limpet::dataplane
