// SPDX-License-Identifier: Apache-2.0
// rr and wrr as the kernel keeps them (ip_vs_rr.c, ip_vs_wrr.c), to hold ours against: a pointer into a linked list,
// wrr's current weight, and what each command does to them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <list>
#include <numeric>

#include "dataplane/schedule_cursor.h"

namespace limpet::dataplane {

class KernelScheduler {
 public:
  explicit KernelScheduler(limpet_scheduler scheduler) { set_scheduler(scheduler); }

  void set_scheduler(limpet_scheduler scheduler) {
    scheduler_ = scheduler;
    last_ = list_.end();
    measure();
    current_weight_ = most_weight_;
  }
  void add(std::uint32_t id, std::uint32_t weight) {
    list_.push_front({id, weight});
    changed();
  }
  void remove(std::uint32_t id) {
    const auto gone = find(id);
    if (gone == last_) last_ = before(gone);
    list_.erase(gone);
    changed();
  }
  void reweigh(std::uint32_t id, std::uint32_t weight) {
    find(id)->weight = weight;
    changed();
  }

  // The id served; 0: none has weight.
  std::uint32_t serve() { return scheduler_ == LIMPET_RR ? serve_rr() : serve_wrr(); }

 private:
  using List = std::list<ListedDestination>;

  List::iterator find(std::uint32_t id) {
    auto at = list_.begin();
    while (at->id != id) ++at;
    return at;
  }
  List::iterator before(List::iterator at) { return at == list_.begin() ? list_.end() : std::prev(at); }

  // ip_vs_wrr_dest_changed(); rr has no such thing.
  void changed() {
    if (scheduler_ == LIMPET_RR) return;
    last_ = list_.end();
    measure();
    if (current_weight_ > most_weight_ || current_weight_ == 0)
      current_weight_ = most_weight_;
    else if (divisor_ > 1)
      current_weight_ = current_weight_ / divisor_ * divisor_ + 1;
  }

  void measure() {
    std::int64_t most = 0;
    divisor_ = 0;
    for (const ListedDestination& d : list_) {
      most = std::max<std::int64_t>(most, d.weight);
      if (d.weight > 0) divisor_ = std::gcd(divisor_, std::int64_t{d.weight});
    }
    if (divisor_ == 0) divisor_ = 1;
    most_weight_ = most - (divisor_ - 1);
  }

  std::uint32_t serve_rr() {
    auto at = last_;
    for (std::size_t seen = 0; seen < list_.size(); ++seen) {
      if (at == list_.end() || ++at == list_.end()) at = list_.begin();
      if (at->weight == 0) continue;
      last_ = at;
      return at->id;
    }
    return 0;
  }

  std::uint32_t serve_wrr() {
    if (most_weight_ == 0) return 0;
    for (auto at = last_;;) {
      for (at = at == list_.end() ? list_.begin() : std::next(at); at != list_.end(); ++at) {
        if (at->weight < current_weight_) continue;
        last_ = at;
        return at->id;
      }
      current_weight_ -= divisor_;
      if (current_weight_ <= 0) current_weight_ = most_weight_;
    }
  }

  limpet_scheduler scheduler_ = LIMPET_RR;
  List list_;
  List::iterator last_ = list_.end();  // list_.end(): the head
  std::int64_t divisor_ = 1;           // di
  std::int64_t most_weight_ = 0;       // mw
  std::int64_t current_weight_ = 0;    // cw
};

}  // namespace limpet::dataplane
