// SPDX-License-Identifier: Apache-2.0
// Lists templates and flows as the administrator sees them, in pieces. Expired entries that the sweeper has not reached
// are left out.
#pragma once

#include <cstddef>
#include <vector>

#include "dataplane/batch.h"
#include "dataplane/object.h"
#include "model/view.h"

namespace limpet::dataplane {

class ConnectionWalk {
 public:
  explicit ConnectionWalk(const Object& object);

  // The next piece; empty: the end.
  std::vector<ConnectionView> next(std::size_t limit);

 private:
  ConnectionView view(const limpet_flow4_key& key, const limpet_flow& flow, std::uint64_t now) const;
  ConnectionView view(const limpet_template4_key& key, const limpet_template& entry, std::uint64_t now) const;

  const Object& object_;
  BatchWalk<limpet_flow4_key, limpet_flow> flows_;
  BatchWalk<limpet_template4_key, limpet_template> templates_;
  bool flows_done_ = false;
  bool templates_done_ = false;
};

}  // namespace limpet::dataplane
