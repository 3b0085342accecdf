// SPDX-License-Identifier: Apache-2.0
// All the data plane's tables, byte by byte: what is compared around a thing that must not change any.
#pragma once

#include <bpf/bpf.h>
#include <sys/mman.h>

#include <cstring>
#include <map>
#include <stdexcept>
#include <string>

#include "plane.h"

namespace limpet::packet {

class Snapshot {
 public:
  // `servers`: ids whose per-CPU counters are looked at.
  Snapshot(const Plane& plane, std::uint32_t servers) : plane_(plane), servers_(servers) {
    for (const char* name : kArrays) {
      const Memory& memory = mapped(name);
      arrays_[name].assign(memory.at, memory.at + memory.length);
    }
    others_ = read_others();
  }

  // Names of the tables that are not as they were; empty: all are.
  [[nodiscard]] std::string changed_since() const {
    std::string names;
    for (const auto& [name, bytes] : arrays_) {
      if (std::memcmp(bytes.data(), mapped(name.c_str()).at, bytes.size()) != 0) names += name + " ";
    }
    const auto now = read_others();
    for (const auto& [name, bytes] : others_) {
      if (now.at(name) != bytes) names += name + " ";
    }
    return names;
  }

 private:
  struct Memory {
    const std::uint8_t* at = nullptr;
    std::size_t length = 0;
  };

  using Tables = std::map<std::string, Bytes>;

  static constexpr const char* kArrays[] = {"config",      "service_states", "lists",       "destinations",
                                            "counts",      "nexthops",       "devices",     "addresses",
                                            "local_cache", "flows_full",     "drop_counter"};

  // Mapped once for the whole run: the tables live as long as the process.
  [[nodiscard]] const Memory& mapped(const char* name) const {
    static std::map<int, Memory> all;
    const int fd = plane_.map(name).descriptor();
    const auto [entry, fresh] = all.try_emplace(fd);
    if (!fresh) return entry->second;
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) throw std::runtime_error(name);
    entry->second.length = static_cast<std::size_t>(info.max_entries) * ((info.value_size + 7) / 8 * 8);
    void* at = mmap(nullptr, entry->second.length, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) throw std::runtime_error(name);
    entry->second.at = static_cast<const std::uint8_t*>(at);
    return entry->second;
  }

  [[nodiscard]] Tables read_others() const {
    const auto cpus = static_cast<std::size_t>(plane_.cpus());
    return {{"counters", array("counters", servers_, sizeof(limpet_counters) * cpus)},
            {"events", array("events", LIMPET_EVENTS, sizeof(std::uint64_t) * cpus)},
            {"icmp_budget", array("icmp_budget", 1, sizeof(std::uint64_t) * cpus)},
            {"flows4", hash<limpet_flow4_key, limpet_flow>("flows4")},
            {"templates4", hash<limpet_template4_key, limpet_template>("templates4")},
            {"localities", hash<limpet_locality_key, limpet_locality>("localities")},
            {"locality_sets", hash<limpet_locality_key, limpet_locality_set>("locality_sets")},
            {"reverse4", hash<limpet_reverse4_key, limpet_reverse>("reverse4")},
            {"services", hash<limpet_service_key, limpet_service>("services")}};
  }

  Bytes array(const char* name, std::uint32_t entries, std::size_t value_size) const {
    Bytes bytes(entries * value_size);
    for (std::uint32_t i = 0; i < entries; i++) plane_.map(name).lookup(&i, bytes.data() + i * value_size);
    return bytes;
  }

  template <class K, class V>
  Bytes hash(const char* name) const {
    Bytes bytes;
    for (const auto& [key, value] : plane_.map(name).all<K, V>()) {
      const std::size_t at = bytes.size();
      bytes.resize(at + sizeof(key) + sizeof(value));
      std::memcpy(bytes.data() + at, &key, sizeof(key));
      std::memcpy(bytes.data() + at + sizeof(key), &value, sizeof(value));
    }
    return bytes;
  }

  const Plane& plane_;
  std::uint32_t servers_;
  Tables arrays_;
  Tables others_;
};

}  // namespace limpet::packet
