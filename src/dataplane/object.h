// SPDX-License-Identifier: Apache-2.0
// The loaded data plane: programs and maps, made new or adopted from what a former limpetd has left running.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bpf/abi.h"
#include "dataplane/mapped_array.h"
#include "model/result.h"

struct bpf_map;
struct bpf_program;
struct limpet_bpf;

namespace limpet::dataplane {

// Most entries of each table; they take effect when the tables are made, not when they are adopted.
struct Ceilings {
  std::uint32_t services = 65536;
  std::uint32_t destinations = 131072;
  std::uint32_t flows = 1048576;
  std::uint32_t templates = 1048576;
};

class Object {
 public:
  // Pins under `pins`, a directory on a BPF file system. `attached_program`: id of a program of ours that is attached
  // in this network namespace, 0 if none is; its maps are adopted even where the pins are lost.
  // Errors: a data plane of another ABI version is running (it is left alone); the kernel refuses the programs.
  static Result<Object> open(const std::filesystem::path& pins, const Ceilings& ceilings,
                             std::uint32_t attached_program);

  Object(Object&&) noexcept;
  Object& operator=(Object&&) noexcept;
  ~Object();

  bool adopted() const { return adopted_; }
  const Ceilings& ceilings() const { return ceilings_; }  // those in force

  int tc_program() const;
  int mark_program() const;
  int return_program() const;
  int sweep_program() const;
  // Loaded by the first call, since the kernel takes its time to check them: where no interface gets the XDP door, or
  // nobody has anything explained, nobody waits for it. Error: the kernel refuses it.
  Result<int> xdp_program();
  Result<int> explain_program();
  int map_fd(const std::string& name) const;  // -1: no such map
  std::uint32_t locality_ceiling() const;     // what lblc, and lblcr, can remember

  MappedArray<limpet_config> config;
  MappedArray<limpet_service_state> service_states;
  MappedArray<limpet_list_entry> lists;
  MappedArray<limpet_destination> destinations;
  MappedArray<limpet_counts> counts;
  MappedArray<limpet_device> devices;
  MappedArray<limpet_address_bitmap> addresses;
  MappedArray<std::uint64_t> local_cache;
  MappedArray<std::uint64_t> flows_full;
  MappedArray<std::int64_t> drop_counter;
  MappedArray<limpet_counters> counter_bases;
  MappedArray<limpet_counters> service_residues;
  MappedArray<limpet_sweep> sweep_request;
  MappedArray<limpet_explain> explain_request;

 private:
  struct Close {
    void operator()(limpet_bpf* skeleton) const;
  };
  using Skeleton = std::unique_ptr<limpet_bpf, Close>;
  Object() = default;
  Result<void> prepare(const std::filesystem::path& pins, const Ceilings& ceilings, std::uint32_t attached_program);
  Result<void> map_arrays();
  void set_defaults();
  Result<int> late_program(Skeleton& late, const char* name);

  Skeleton skeleton_;
  Skeleton xdp_;  // only for its program, and so is the next
  Skeleton explain_;
  Ceilings ceilings_;
  bool adopted_ = false;
};

}  // namespace limpet::dataplane
