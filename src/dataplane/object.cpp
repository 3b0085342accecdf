// SPDX-License-Identifier: Apache-2.0
// The loaded data plane: programs and maps.
#include "dataplane/object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <map>

#include "dataplane/libbpf_log.h"
#include "limpet.skel.h"

namespace limpet::dataplane {
namespace {

// Descriptors of maps that outlived the daemon that made them, by name.
class FormerMaps {
 public:
  FormerMaps() = default;
  FormerMaps(const FormerMaps&) = delete;
  FormerMaps& operator=(const FormerMaps&) = delete;
  ~FormerMaps() {
    for (const auto& [name, fd] : by_name_) ::close(fd);
  }

  void find_pinned(const std::filesystem::path& pins, limpet_bpf* skeleton) {
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton->obj) {
      const int fd = ::bpf_obj_get((pins / bpf_map__name(map)).c_str());
      if (fd >= 0) add(bpf_map__name(map), fd);
    }
  }

  // Names of maps are cut at 15 characters by the kernel: `skeleton` knows them whole.
  void find_attached(std::uint32_t program_id, limpet_bpf* skeleton) {
    const int program = ::bpf_prog_get_fd_by_id(program_id);
    if (program < 0) return;
    std::vector<std::uint32_t> ids(64);
    bpf_prog_info info{};
    info.nr_map_ids = static_cast<std::uint32_t>(ids.size());
    info.map_ids = reinterpret_cast<std::uintptr_t>(ids.data());
    std::uint32_t length = sizeof(info);
    if (::bpf_obj_get_info_by_fd(program, &info, &length) == 0) {
      ids.resize(std::min<std::size_t>(ids.size(), info.nr_map_ids));
      for (const std::uint32_t id : ids) add_by_id(id, skeleton);
    }
    ::close(program);
  }

  bool empty() const { return by_name_.empty(); }
  // Tables that belong together have one ceiling: that of those which are there, for those which are lost as well.
  Ceilings ceilings(const Ceilings& configured) const {
    return {ceiling("services", configured.services), ceiling("destinations", configured.destinations),
            ceiling("flows4", configured.flows), ceiling("templates4", configured.templates)};
  }
  int get(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? -1 : found->second;
  }

 private:
  std::uint32_t ceiling(const std::string& name, std::uint32_t configured) const {
    bpf_map_info info{};
    std::uint32_t length = sizeof(info);
    const int fd = get(name);
    return fd >= 0 && ::bpf_obj_get_info_by_fd(fd, &info, &length) == 0 ? info.max_entries : configured;
  }

  void add(const std::string& name, int fd) {
    if (!by_name_.emplace(name, fd).second) ::close(fd);
  }

  void add_by_id(std::uint32_t id, limpet_bpf* skeleton) {
    const int fd = ::bpf_map_get_fd_by_id(id);
    if (fd < 0) return;
    bpf_map_info info{};
    std::uint32_t length = sizeof(info);
    if (::bpf_obj_get_info_by_fd(fd, &info, &length) == 0) {
      bpf_map* map = nullptr;
      bpf_object__for_each_map(map, skeleton->obj) {
        if (!bpf_map__is_internal(map) && std::strncmp(bpf_map__name(map), info.name, sizeof(info.name) - 1) == 0)
          return add(bpf_map__name(map), fd);
      }
    }
    ::close(fd);
  }

  std::map<std::string, int> by_name_;
};

Result<void> check_abi(const FormerMaps& former) {
  const int fd = former.get("config");
  if (fd < 0) return {};
  bpf_map_info info{};
  std::uint32_t length = sizeof(info);
  std::uint32_t version = 0;
  if (::bpf_obj_get_info_by_fd(fd, &info, &length) == 0) {
    std::vector<std::uint32_t> value(info.value_size / sizeof(std::uint32_t) + 1);
    const std::uint32_t zero = 0;
    if (::bpf_map_lookup_elem(fd, &zero, value.data()) == 0) version = value[0];
  }
  // 0: its maker was killed before it had configured it.
  if (version == LIMPET_ABI_VERSION || version == 0) return {};
  return Error{ErrorCode::internal,
               "the running data plane has ABI version " + std::to_string(version) + ", this limpetd has version " +
                   std::to_string(LIMPET_ABI_VERSION) +
                   ": it is left forwarding as it is; run `limpet unload` before starting this limpetd"};
}

// The maps that there are already; -1 of `fd_of`: there is none for this name.
template <class FdOf>
Result<void> use_maps(limpet_bpf* skeleton, FdOf fd_of) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton->obj) {
    const int fd = bpf_map__is_internal(map) ? -1 : fd_of(bpf_map__name(map));
    if (fd < 0) continue;
    const int error = bpf_map__reuse_fd(map, fd);
    if (error != 0) return system_error(std::string("cannot adopt the table ") + bpf_map__name(map), -error);
  }
  return {};
}

void set_ceilings(limpet_bpf* skeleton, const Ceilings& ceilings) {
  const auto& maps = skeleton->maps;
  bpf_map__set_max_entries(maps.services, ceilings.services);
  bpf_map__set_max_entries(maps.service_states, ceilings.services);
  bpf_map__set_max_entries(maps.service_residues, ceilings.services);
  bpf_map__set_max_entries(maps.destinations, ceilings.destinations);
  bpf_map__set_max_entries(maps.counts, ceilings.destinations);
  bpf_map__set_max_entries(maps.counters, ceilings.destinations);
  bpf_map__set_max_entries(maps.counter_bases, ceilings.destinations);
  bpf_map__set_max_entries(maps.nexthops, ceilings.destinations + LIMPET_CLIENT_HOPS);
  // Old ranges wait for their grace period, and each range has a header. Schedulers that hash have tables: 64 entries,
  // or for one service in 64 the 1,024 of mh; and however low the ceilings, the largest of maglev can be replaced.
  constexpr std::uint32_t kTable = 16;
  constexpr std::uint32_t kLargestTwice = 131072;
  bpf_map__set_max_entries(
      maps.lists, 4 * ceilings.destinations + (LIMPET_LIST_HEADER + kTable) * ceilings.services + kLargestTwice);
  bpf_map__set_max_entries(maps.flows4, ceilings.flows);
  bpf_map__set_max_entries(maps.reverse4, ceilings.flows);
  bpf_map__set_max_entries(maps.templates4, ceilings.templates);
  // By default four times what the kernel lets one service of lblc remember before it forgets the idle.
  constexpr std::uint32_t kTemplatesALocality = 16;
  const std::uint32_t localities = std::max(1024U, ceilings.templates / kTemplatesALocality);
  bpf_map__set_max_entries(maps.localities, localities);
  bpf_map__set_max_entries(maps.locality_sets, localities);
}

Result<void> pin_maps(limpet_bpf* skeleton, const std::filesystem::path& pins) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton->obj) {
    if (bpf_map__is_internal(map)) continue;
    const std::filesystem::path path = pins / bpf_map__name(map);
    if (::access(path.c_str(), F_OK) == 0) continue;
    if (::bpf_obj_pin(bpf_map__fd(map), path.c_str()) != 0) return system_error("cannot pin " + path.string(), errno);
  }
  return {};
}

Error refused(int error, const LibbpfLog& log) {
  return {ErrorCode::internal,
          "the kernel does not take the data plane (" + std::string(std::strerror(-error)) +
              "); limpetd needs Linux 6.1 or newer with BPF and CAP_BPF, CAP_NET_ADMIN: " + log.last_line()};
}

template <class T>
Result<void> map_array(MappedArray<T>& array, bpf_map* map) {
  auto mapped = MappedArray<T>::map(bpf_map__fd(map), bpf_map__max_entries(map), bpf_map__name(map));
  if (!mapped) return mapped.error();
  array = std::move(*mapped);
  return {};
}

}  // namespace

void Object::Close::operator()(limpet_bpf* skeleton) const { limpet_bpf__destroy(skeleton); }

Object::Object(Object&&) noexcept = default;
Object& Object::operator=(Object&&) noexcept = default;
Object::~Object() = default;

Result<Object> Object::open(const std::filesystem::path& pins, const Ceilings& ceilings,
                            std::uint32_t attached_program) {
  Object object;
  if (auto prepared = object.prepare(pins, ceilings, attached_program); !prepared) return prepared.error();
  return object;
}

Result<void> Object::prepare(const std::filesystem::path& pins, const Ceilings& ceilings,
                             std::uint32_t attached_program) {
  LibbpfLog log;
  skeleton_.reset(limpet_bpf__open());
  if (!skeleton_) return system_error("cannot open the data plane", errno);
  FormerMaps former;
  former.find_pinned(pins, skeleton_.get());
  if (attached_program != 0) former.find_attached(attached_program, skeleton_.get());
  if (auto abi = check_abi(former); !abi) return abi;
  set_ceilings(skeleton_.get(), former.ceilings(ceilings));
  const auto former_fd = [&](const char* name) { return former.get(name); };
  if (auto used = use_maps(skeleton_.get(), former_fd); !used) return used;
  adopted_ = !former.empty();
  for (bpf_program* late : {skeleton_->progs.limpet_xdp, skeleton_->progs.limpet_explain})
    bpf_program__set_autoload(late, false);
  if (const int error = limpet_bpf__load(skeleton_.get()); error != 0) return refused(error, log);
  ceilings_ = {bpf_map__max_entries(skeleton_->maps.services), bpf_map__max_entries(skeleton_->maps.destinations),
               bpf_map__max_entries(skeleton_->maps.flows4), bpf_map__max_entries(skeleton_->maps.templates4)};
  if (auto pinned = pin_maps(skeleton_.get(), pins); !pinned) return pinned;
  if (auto mapped = map_arrays(); !mapped) return mapped;
  set_defaults();
  return {};
}

Result<void> Object::map_arrays() {
  const auto& maps = skeleton_->maps;
  for (auto& mapped :
       {map_array(config, maps.config), map_array(service_states, maps.service_states), map_array(lists, maps.lists),
        map_array(destinations, maps.destinations), map_array(counts, maps.counts), map_array(devices, maps.devices),
        map_array(addresses, maps.addresses), map_array(local_cache, maps.local_cache),
        map_array(flows_full, maps.flows_full), map_array(drop_counter, maps.drop_counter),
        map_array(counter_bases, maps.counter_bases), map_array(service_residues, maps.service_residues),
        map_array(sweep_request, maps.sweep_request), map_array(explain_request, maps.explain_request)})
    if (!mapped) return mapped;
  return {};
}

// The kernel's defaults (ip_vs_proto_tcp.c, ip_vs_proto_udp.c, net.ipv4.vs.*).
void Object::set_defaults() {
  limpet_config& c = config[0];
  if (c.abi_version == LIMPET_ABI_VERSION) return;
  constexpr std::uint32_t kTcp[LIMPET_TCP_STATES] = {2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120};
  std::copy(std::begin(kTcp), std::end(kTcp), c.tcp_timeouts);
  c.udp_timeout = 300;
  c.conn_reuse_mode = 1;
  c.client_hops = ceilings_.destinations;
  c.abi_version = LIMPET_ABI_VERSION;
}

// libbpf loads an object at once, so such a program comes from another one, with the tables of the first.
Result<int> Object::late_program(Skeleton& late, const char* name) {
  if (!late) {
    const LibbpfLog log;
    Skeleton another(limpet_bpf__open());
    if (!another) return system_error("cannot open the data plane", errno);
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, another->obj)
        bpf_program__set_autoload(program, std::strcmp(bpf_program__name(program), name) == 0);
    if (auto used = use_maps(another.get(), [this](const char* map) { return map_fd(map); }); !used)
      return used.error();
    if (const int error = limpet_bpf__load(another.get()); error != 0) return refused(error, log);
    late = std::move(another);
  }
  return bpf_program__fd(bpf_object__find_program_by_name(late->obj, name));
}

Result<int> Object::xdp_program() { return late_program(xdp_, "limpet_xdp"); }
Result<int> Object::explain_program() { return late_program(explain_, "limpet_explain"); }

int Object::tc_program() const { return bpf_program__fd(skeleton_->progs.limpet_tc); }
int Object::mark_program() const { return bpf_program__fd(skeleton_->progs.limpet_mark); }
int Object::return_program() const { return bpf_program__fd(skeleton_->progs.limpet_return); }
int Object::sweep_program() const { return bpf_program__fd(skeleton_->progs.limpet_sweep); }

std::uint32_t Object::locality_ceiling() const { return bpf_map__max_entries(skeleton_->maps.localities); }

int Object::map_fd(const std::string& name) const {
  const bpf_map* map = bpf_object__find_map_by_name(skeleton_->obj, name.c_str());
  return map == nullptr ? -1 : bpf_map__fd(map);
}

}  // namespace limpet::dataplane
