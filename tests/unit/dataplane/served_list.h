// SPDX-License-Identifier: Apache-2.0
// A published destination list and the packets that read it: rr and wrr go on from the start that
// start_after_edit() gives (bpf/schedule/rr.h, wrr.h).
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/schedule_cursor.h"

namespace limpet::dataplane {

class ServedList {
 public:
  explicit ServedList(limpet_scheduler scheduler) { publish({}, scheduler, Edit::scheduler); }

  void set_scheduler(limpet_scheduler scheduler) {
    publish(list_, scheduler, scheduler == scheduler_ ? Edit::none : Edit::scheduler);
  }
  void add(std::uint32_t id, std::uint32_t weight) {
    DestinationList after = list_;
    after.insert(after.begin(), {id, weight});
    publish(after, scheduler_, Edit::destination);
  }
  void remove(std::uint32_t id) {
    DestinationList after = list_;
    after.erase(find(after, id));
    publish(after, scheduler_, Edit::destination);
  }
  void reweigh(std::uint32_t id, std::uint32_t weight) {
    DestinationList after = list_;
    find(after, id)->weight = weight;
    publish(after, scheduler_, Edit::destination);
  }

  // The id served; 0: none has weight.
  std::uint32_t serve() { return scheduler_ == LIMPET_RR ? serve_rr() : serve_wrr(); }
  const CursorStart& cursor() const { return cursor_; }

 private:
  static DestinationList::iterator find(DestinationList& list, std::uint32_t id) {
    return std::find_if(list.begin(), list.end(), [id](const ListedDestination& d) { return d.id == id; });
  }
  void publish(const DestinationList& after, limpet_scheduler scheduler, Edit edit) {
    cursor_ = start_after_edit(scheduler, edit, list_, cursor_, after);
    list_ = after;
    scheduler_ = scheduler;
  }
  std::uint32_t following(std::uint32_t index) const { return index + 1 < list_.size() ? index + 1 : 0; }

  std::uint32_t serve_rr() {
    std::uint32_t index = following(cursor_.index);
    for (std::size_t seen = 0; seen < list_.size(); ++seen, index = following(index)) {
      if (list_[index].weight == 0) continue;
      cursor_ = {index, 0};
      return list_[index].id;
    }
    return 0;
  }

  std::uint32_t serve_wrr() {
    const WeightSummary weights = summarize_weights(list_);
    if (weights.highest == 0) return 0;
    const std::uint32_t top = weights.highest - (weights.gcd - 1);
    const auto lower = [&](std::uint32_t level) { return level > weights.gcd ? level - weights.gcd : top; };
    std::uint32_t index = following(cursor_.index);
    std::uint32_t level = cursor_.value == 0 ? top : cursor_.value;
    if (index == 0 && cursor_.index != LIMPET_CURSOR_HEAD) level = lower(level);
    while (list_[index].weight < level) {
      index = following(index);
      if (index == 0) level = lower(level);
    }
    cursor_ = {index, level};
    return list_[index].id;
  }

  limpet_scheduler scheduler_ = LIMPET_RR;
  DestinationList list_;
  CursorStart cursor_;
};

}  // namespace limpet::dataplane
