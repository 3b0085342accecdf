// SPDX-License-Identifier: Apache-2.0
// Walks a BPF hash in batches that resume where the last one ended.
#pragma once

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace limpet::dataplane {

template <class Key, class Value>
class BatchWalk {
 public:
  explicit BatchWalk(int fd) : fd_(fd) {}

  // The next entries, at least one bucket; 0 entries: the walk is done, and the next call starts it again.
  std::size_t next(std::size_t limit) {
    if (done_) {
      done_ = false;
      first_ = true;
      return count_ = 0;
    }
    std::size_t room = std::max<std::size_t>(limit, 64);
    for (;;) {
      keys_.resize(std::max(keys_.size(), room));
      values_.resize(keys_.size());
      auto count = static_cast<std::uint32_t>(room);
      const int error = ::bpf_map_lookup_batch(fd_, first_ ? nullptr : &position_, &next_position_, keys_.data(),
                                               values_.data(), &count, nullptr);
      if (error == -ENOSPC && room < kLargestBucket) {
        room *= 2;  // a bucket holds more
        continue;
      }
      done_ = error != 0;
      count_ = error == 0 || error == -ENOENT ? count : 0;
      position_ = next_position_;
      first_ = false;
      if (done_ && count_ == 0) {
        done_ = false;
        first_ = true;
      }
      return count_;
    }
  }

  std::size_t size() const { return count_; }
  const Key& key(std::size_t i) const { return keys_[i]; }
  const Value& value(std::size_t i) const { return values_[i]; }

 private:
  static constexpr std::size_t kLargestBucket = 1U << 20;

  int fd_;
  bool first_ = true;
  bool done_ = false;
  std::uint32_t position_ = 0;
  std::uint32_t next_position_ = 0;
  std::size_t count_ = 0;
  std::vector<Key> keys_;
  std::vector<Value> values_;
};

}  // namespace limpet::dataplane
