// SPDX-License-Identifier: Apache-2.0
// Shows every connection and template to a Foresight, in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "dataplane/entry_walk.h"
#include "dataplane/object.h"
#include "model/foresight.h"

namespace limpet::dataplane {

class ForesightWalk {
 public:
  // Both must outlive it.
  ForesightWalk(const Object& object, Foresight& foresight) : object_(object), foresight_(foresight), walk_(object) {}

  // About `limit` entries more; false: that was the end.
  bool next(std::size_t limit);

 private:
  const Foresight::Bound& bound(std::uint32_t destination);

  const Object& object_;
  Foresight& foresight_;
  EntryWalk walk_;
  // By id, which stays a server's as long as an entry names it.
  std::unordered_map<std::uint32_t, Foresight::Bound> bound_;
};

}  // namespace limpet::dataplane
