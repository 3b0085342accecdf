// SPDX-License-Identifier: Apache-2.0
// Loading, and BPF_PROG_TEST_RUN with the contexts that make a frame look received.
#include "plane.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limpet.skel.h>
#include <linux/bpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <stdexcept>
#include <system_error>

#include "world.h"

namespace limpet::packet {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

constexpr int kTcPass = -1;  // TC_ACT_UNSPEC: the user's own filters still run
constexpr int kTcDrop = 2;
constexpr int kTcOk = 0;
constexpr int kTcRedirect = 7;

Verdict tc_verdict(int code) {
  switch (code) {
    case kTcPass:
      return Verdict::kPass;
    case kTcDrop:
      return Verdict::kDrop;
    case kTcRedirect:
      return Verdict::kSent;
    case kTcOk:
      return Verdict::kCross;
    default:
      return Verdict::kOther;
  }
}

Verdict xdp_verdict(std::uint32_t code) {
  switch (code) {
    case XDP_PASS:
      return Verdict::kPass;
    case XDP_DROP:
      return Verdict::kDrop;
    case XDP_TX:
    case XDP_REDIRECT:
      return Verdict::kSent;
    default:
      return Verdict::kOther;
  }
}

}  // namespace

std::string name_of(Door door) {
  constexpr const char* kNames[] = {"tc", "xdp", "mark", "return"};
  return kNames[static_cast<int>(door)];
}

std::ostream& operator<<(std::ostream& out, Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return out << "pass";
    case Verdict::kDrop:
      return out << "drop";
    case Verdict::kSent:
      return out << "sent";
    case Verdict::kCross:
      return out << "cross to limpet1";
    case Verdict::kOther:
      break;
  }
  return out << "an unknown verdict";
}

Verdict verdict_of(Door door, std::uint32_t returned) {
  return door == Door::kXdp ? xdp_verdict(returned) : tc_verdict(static_cast<int>(returned));
}

Map::Map(const bpf_map* map) : fd_(bpf_map__fd(map)) {}

bool Map::lookup(const void* key, void* value) const { return bpf_map_lookup_elem(fd_, key, value) == 0; }

void Map::update(const void* key, const void* value, std::uint64_t flags) const {
  if (bpf_map_update_elem(fd_, key, value, flags) != 0) fail("bpf_map_update_elem");
}

bool Map::insert(const void* key, const void* value) const {
  return bpf_map_update_elem(fd_, key, value, BPF_NOEXIST) == 0;
}

bool Map::erase(const void* key) const { return bpf_map_delete_elem(fd_, key) == 0; }

bool Map::next(const void* key, void* next_key) const { return bpf_map_get_next_key(fd_, key, next_key) == 0; }

void Map::fill_with_zeros(std::uint32_t entries, std::size_t value_size) const {
  // As memory where that can be had: the tests do this before each.
  const std::size_t bytes = entries * value_size;
  if (void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0); memory != MAP_FAILED) {
    std::memset(memory, 0, bytes);
    munmap(memory, bytes);
    return;
  }
  std::vector<std::uint32_t> keys(entries);
  for (std::uint32_t i = 0; i < entries; i++) keys[i] = i;
  const Bytes values(entries * value_size);
  std::uint32_t count = entries;
  bpf_map_batch_opts options{};
  options.sz = sizeof(options);
  if (bpf_map_update_batch(fd_, keys.data(), values.data(), &count, &options) != 0) fail("bpf_map_update_batch");
}

Plane::Plane(Ceilings ceilings, std::optional<Door> only) : skeleton_(nullptr), cpus_(libbpf_num_possible_cpus()) {
  World::instance();
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  skeleton_ = limpet_bpf__open();
  if (skeleton_ == nullptr) fail("opening the data plane");
  bpf_map__set_max_entries(skeleton_->maps.services, kServices);
  bpf_map__set_max_entries(skeleton_->maps.service_states, kServices);
  bpf_map__set_max_entries(skeleton_->maps.lists, kLists);
  bpf_map__set_max_entries(skeleton_->maps.destinations, kDestinations);
  bpf_map__set_max_entries(skeleton_->maps.counts, kDestinations);
  bpf_map__set_max_entries(skeleton_->maps.counters, kDestinations);
  bpf_map__set_max_entries(skeleton_->maps.nexthops, kDestinations + LIMPET_CLIENT_HOPS);
  bpf_map__set_max_entries(skeleton_->maps.flows4, ceilings.flows);
  bpf_map__set_max_entries(skeleton_->maps.reverse4, ceilings.reverse);
  bpf_map__set_max_entries(skeleton_->maps.templates4, ceilings.templates);
  bpf_map__set_max_entries(skeleton_->maps.localities, kLocalities);
  bpf_map__set_max_entries(skeleton_->maps.locality_sets, kLocalities);
  bpf_program* one = nullptr;
  bpf_object__for_each_program(one, skeleton_->obj) {
    if (only && one != program_at(*only)) bpf_program__set_autoload(one, false);
  }
  if (limpet_bpf__load(skeleton_) != 0) fail("loading the data plane");
  declare_device(World::instance().eth0(), LIMPET_DEVICE_XDP_TARGET);
}

Plane::~Plane() { limpet_bpf__destroy(skeleton_); }

void Plane::declare_device(unsigned ifindex, std::uint32_t flags) {
  const std::uint32_t slot = ifindex % LIMPET_DEVICES;
  limpet_device device{};
  device.ifindex = ifindex;
  device.flags = flags;
  std::copy(kDirectorMac.begin(), kDirectorMac.end(), std::begin(device.mac));
  map("devices").update(&slot, &device);
}

Outcome Plane::run(Door door, const Bytes& frame, std::uint32_t mark, std::uint32_t segments) {
  const World& world = World::instance();
  Outcome outcome;
  outcome.bytes.resize(frame.size() + 512);

  __sk_buff skb{};
  xdp_md xdp{};
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.data_out = outcome.bytes.data();
  options.data_size_out = static_cast<std::uint32_t>(outcome.bytes.size());
  options.repeat = 1;

  if (door == Door::kXdp) {
    xdp.data_end = options.data_size_in;
    xdp.ingress_ifindex = world.eth0();
    options.ctx_in = &xdp;
    options.ctx_size_in = sizeof(xdp);
  } else {
    skb.mark = mark;
    skb.gso_segs = segments;
    skb.gso_size = segments > 1 ? 500 : 0;
    skb.ifindex = door == Door::kTc ? world.eth0() : world.limpet0();
    options.ctx_in = &skb;
    options.ctx_size_in = sizeof(skb);
  }
  if (bpf_prog_test_run_opts(program(door), &options) != 0) fail("BPF_PROG_TEST_RUN");
  outcome.bytes.resize(options.data_size_out);
  outcome.verdict = verdict_of(door, options.retval);
  return outcome;
}

const bpf_program* Plane::program_at(Door door) const {
  const bpf_program* const programs[] = {skeleton_->progs.limpet_tc, skeleton_->progs.limpet_xdp,
                                         skeleton_->progs.limpet_mark, skeleton_->progs.limpet_return};
  return programs[static_cast<int>(door)];
}

int Plane::program(Door door) const { return bpf_program__fd(program_at(door)); }

void Plane::sweep(limpet_sweep_table table, const std::vector<Bytes>& keys) {
  const auto request = std::make_unique<limpet_sweep>();
  const std::uint32_t zero = 0;
  for (std::size_t from = 0; from < keys.size(); from += LIMPET_SWEEP_KEYS) {
    request->table = table;
    request->count = static_cast<std::uint32_t>(std::min<std::size_t>(keys.size() - from, LIMPET_SWEEP_KEYS));
    for (std::uint32_t i = 0; i < request->count; i++) {
      std::copy(keys[from + i].begin(), keys[from + i].end(), std::begin(request->keys[i]));
    }
    map("sweep_request").update(&zero, request.get());
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.limpet_sweep), &options) != 0) fail("limpet_sweep");
  }
}

limpet_explain Plane::explain(limpet_explain question) const {
  const std::uint32_t zero = 0;
  map("explain_request").update(&zero, &question);
  const Bytes frame(64);  // the program looks at none
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.limpet_explain), &options) != 0) fail("limpet_explain");
  return map("explain_request").get<std::uint32_t, limpet_explain>(zero).value();
}

Map Plane::map(const char* name) const {
  const bpf_map* found = bpf_object__find_map_by_name(skeleton_->obj, name);
  if (found == nullptr) throw std::invalid_argument(name);
  return Map(found);
}

}  // namespace limpet::packet
