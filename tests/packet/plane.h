// SPDX-License-Identifier: Apache-2.0
// The loaded data plane: packets in by BPF_PROG_TEST_RUN, verdicts and packets out, and raw access to its maps.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "frame.h"

struct limpet_bpf;
struct bpf_map;
struct bpf_program;

namespace limpet::packet {

// kReturn: at limpet1, for what the mark door lets cross to have its neighbour resolved.
enum class Door { kTc, kXdp, kMark, kReturn };
std::string name_of(Door door);

// kCross: from the mark door on to limpet1, past all other filters.
enum class Verdict { kPass, kDrop, kSent, kCross, kOther };
std::ostream& operator<<(std::ostream& out, Verdict verdict);
Verdict verdict_of(Door door, std::uint32_t returned);

struct Outcome {
  Verdict verdict = Verdict::kOther;
  Bytes bytes;
  [[nodiscard]] View view() const { return View(bytes); }
};

struct Ceilings {
  std::uint32_t flows = 65536;
  std::uint32_t reverse = 65536;
  std::uint32_t templates = 65536;
};

inline constexpr std::uint32_t kServices = 64;
inline constexpr std::uint32_t kDestinations = 2048;
inline constexpr std::uint32_t kLists = 65536;
inline constexpr std::uint32_t kLocalities = 1024;

// One map, by entry. K and V must have the sizes the map was made with.
class Map {
 public:
  Map() = default;
  explicit Map(const bpf_map* map);

  [[nodiscard]] int descriptor() const { return fd_; }
  bool lookup(const void* key, void* value) const;
  void update(const void* key, const void* value, std::uint64_t flags = 0) const;
  bool insert(const void* key, const void* value) const;  // false: it is there, or there is no room
  bool erase(const void* key) const;
  void fill_with_zeros(std::uint32_t entries, std::size_t value_size) const;  // arrays

  template <class K, class V>
  [[nodiscard]] std::optional<V> get(const K& key) const {
    V value{};
    return lookup(&key, &value) ? std::optional<V>(value) : std::nullopt;
  }
  template <class K, class V>
  [[nodiscard]] std::vector<std::pair<K, V>> all() const {
    std::vector<std::pair<K, V>> entries;
    K key{};
    for (bool more = next(nullptr, &key); more; more = next(&key, &key)) {
      if (auto value = get<K, V>(key)) entries.emplace_back(key, *value);
    }
    return entries;
  }
  template <class K>
  void clear() const {
    K key{};
    while (next(nullptr, &key)) erase(&key);
  }

 private:
  bool next(const void* key, void* next_key) const;
  int fd_ = -1;
};

class Plane {
 public:
  // Every program, or the one of a single door, which is much faster.
  explicit Plane(Ceilings ceilings = {}, std::optional<Door> only = std::nullopt);
  ~Plane();
  Plane(const Plane&) = delete;
  Plane& operator=(const Plane&) = delete;

  // The frame comes in at eth0, respectively leaves through limpet0 with `mark`. With `segments` above 1 it is one that
  // the stack has merged and will cut again (tc and mark door).
  Outcome run(Door door, const Bytes& frame, std::uint32_t mark = 0, std::uint32_t segments = 0);
  void sweep(limpet_sweep_table table, const std::vector<Bytes>& keys);
  // The question's key and mark go in, the answer comes out.
  [[nodiscard]] limpet_explain explain(limpet_explain question) const;

  void declare_device(unsigned ifindex, std::uint32_t flags);

  [[nodiscard]] Map map(const char* name) const;
  [[nodiscard]] int program(Door door) const;  // its descriptor
  [[nodiscard]] int cpus() const { return cpus_; }

 private:
  [[nodiscard]] const bpf_program* program_at(Door door) const;

  limpet_bpf* skeleton_;
  int cpus_;
};

}  // namespace limpet::packet
