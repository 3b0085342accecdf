// SPDX-License-Identifier: Apache-2.0
// Where rr and wrr go on after an edit: what the kernel's cursor would be after the same command.
#pragma once

#include <cstdint>

#include "bpf/abi.h"
#include "dataplane/listed_destination.h"

namespace limpet::dataplane {

struct CursorStart {
  std::uint32_t index = LIMPET_CURSOR_HEAD;
  std::uint32_t value = 0;
  bool operator==(const CursorStart&) const = default;
};

struct WeightSummary {
  std::uint32_t highest = 0;
  std::uint32_t gcd = 1;  // of the weights other than 0; 1 if there are none
};
WeightSummary summarize_weights(const DestinationList& list);

// What a scheduler is told of a command.
enum class Edit {
  scheduler,    // it has taken over: it begins at the head
  destination,  // one was added, removed or edited, the latter even if nothing about it changed
  none
};

// `cursor` is where the scheduler stood in `before`.
CursorStart start_after_edit(limpet_scheduler scheduler, Edit edit, const DestinationList& before, CursorStart cursor,
                             const DestinationList& after);

}  // namespace limpet::dataplane
