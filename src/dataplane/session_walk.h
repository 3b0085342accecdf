// SPDX-License-Identifier: Apache-2.0
// Lists templates and flows with why they are where they are, in pieces, narrowed by client, service and server. A
// filter looks at an entry as it is in the table, so that nothing is made of what nobody asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/entry_walk.h"
#include "dataplane/object.h"
#include "model/session.h"

namespace limpet::dataplane {

// A filter, asked of entries as they are in the tables.
class SessionMatch {
 public:
  SessionMatch(const Object& object, const SessionFilter& filter);

  bool is_empty() const { return nothing_; }  // no entry can be meant
  bool wants(const limpet_flow4_key& key, const limpet_flow& flow) const;
  bool wants(const limpet_template4_key& key, const limpet_template& entry) const;

 private:
  bool wants_client(std::uint32_t client, std::uint32_t mask) const;
  bool wants_service(const limpet_service_key& service) const;
  bool wants_server(const limpet_destination& destination) const;
  bool wants_port(Port port) const;

  const Object& object_;
  SessionFilter filter_;
  bool nothing_ = false;  // asked for in a family that is not carried
  std::uint32_t client_ = 0;
  std::uint32_t client_mask_ = 0;
  std::optional<limpet_service_key> service_;
};

class SessionWalk {
 public:
  SessionWalk(const Object& object, const SessionFilter& filter)
      : object_(object), filter_(object, filter), walk_(object) {}

  // The next piece, which may be empty; nullopt: the end. The services' schedulers are left for others to fill in.
  std::optional<std::vector<SessionView>> next(std::size_t limit);

 private:
  SessionView view(const limpet_destination& destination) const;
  void show(const limpet_flow4_key& key, const limpet_flow& flow, std::uint64_t now, std::vector<SessionView>& piece);
  void show(const limpet_template4_key& key, const limpet_template& entry, std::uint64_t now,
            std::vector<SessionView>& piece);

  const Object& object_;
  SessionMatch filter_;
  EntryWalk walk_;
};

}  // namespace limpet::dataplane
