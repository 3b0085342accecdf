// SPDX-License-Identifier: Apache-2.0
// Counts the sessions that a filter names, and how long the last of them would last, in pieces.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/session_walk.h"
#include "model/session.h"

namespace limpet::dataplane {

class RemainingWalk {
 public:
  RemainingWalk(const Object& object, const SessionFilter& filter) : filter_(object, filter), walk_(object) {}

  // About `limit` entries more; false: that was the end.
  bool next(std::size_t limit);
  const Remaining& seen() const { return seen_; }

 private:
  SessionMatch filter_;
  EntryWalk walk_;
  Remaining seen_;
};

}  // namespace limpet::dataplane
