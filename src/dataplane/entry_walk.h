// SPDX-License-Identifier: Apache-2.0
// Visits the flows and then the templates that are alive, a batch at a time. Expired entries that the sweeper has not
// reached are left out.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/batch.h"
#include "dataplane/clock.h"
#include "dataplane/object.h"
#include "dataplane/words.h"

namespace limpet::dataplane {

class EntryWalk {
 public:
  explicit EntryWalk(const Object& object) : flows_(object.map_fd("flows4")), templates_(object.map_fd("templates4")) {}

  // Reads about `limit` entries and calls `flow(key, value, now)` or `entry(key, value, now)` for those alive, which
  // may be none. False: that was the end, there was nothing to read.
  template <class Flow, class Template>
  bool next(std::size_t limit, Flow flow, Template entry) {
    const std::uint64_t now = ticks_now();
    if (!flows_done_) {
      const std::size_t count = flows_.next(limit);
      flows_done_ = count == 0;
      for (std::size_t i = 0; i < count; ++i)
        if (FlowWord(flows_.value(i).word).is_alive(now)) flow(flows_.key(i), flows_.value(i), now);
      if (!flows_done_) return true;
    }
    if (templates_done_) return false;
    const std::size_t count = templates_.next(limit);
    templates_done_ = count == 0;
    for (std::size_t i = 0; i < count; ++i)
      if (TemplateWord(templates_.value(i).word).is_alive(now)) entry(templates_.key(i), templates_.value(i), now);
    return !templates_done_;
  }

 private:
  BatchWalk<limpet_flow4_key, limpet_flow> flows_;
  BatchWalk<limpet_template4_key, limpet_template> templates_;
  bool flows_done_ = false;
  bool templates_done_ = false;
};

}  // namespace limpet::dataplane
