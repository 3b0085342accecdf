// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <arpa/inet.h>
#include <bench.skel.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "world.h"

namespace limpet::bench {
namespace {

using packet::Door;
using packet::Verdict;

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

constexpr std::uint32_t kStride = 0x9e3779b1;  // odd: every client has its turn

}  // namespace

Driver::Driver(Door door, packet::Packet frame, Clients clients, bool reply)
    : door_(door), clients_(clients), skeleton_(bench_bpf__open()), traffic_(nullptr) {
  if (skeleton_ == nullptr) fail("opening the bench's programs");
  bpf_map__set_max_entries(skeleton_->maps.floor_flows, std::max(65536U, clients.count));
  if (bench_bpf__load(skeleton_) != 0) fail("loading the bench's programs");
  void* memory = mmap(nullptr, sizeof(bench_traffic), PROT_READ | PROT_WRITE, MAP_SHARED, map_fd("traffic"), 0);
  if (memory == MAP_FAILED) fail("mapping the bench's traffic");
  traffic_ = static_cast<bench_traffic*>(memory);
  traffic_->stride = clients.scattered ? kStride : 1;
  traffic_->client_mask = clients.count - 1;
  traffic_->port_bits = clients.port_bits;
  traffic_->first_address = ntohl(packet::ip(clients.first_address));
  traffic_->reply = reply ? 1 : 0;
  send(std::move(frame));
}

Driver::~Driver() {
  munmap(traffic_, sizeof(bench_traffic));
  bench_bpf__destroy(skeleton_);
}

void Driver::send(packet::Packet frame) {
  if (traffic_->reply != 0) {
    frame.to(clients_.first_address, 0x8000);
  } else {
    frame.from(clients_.first_address, 0x8000);
  }
  frame_ = frame.bytes();
  frame_.resize(std::max<std::size_t>(frame_.size(), BENCH_FRAME));
  std::copy_n(frame_.begin(), BENCH_FRAME, std::begin(traffic_->frame));
}

int Driver::map_fd(const char* name) const { return bpf_object__find_map_fd_by_name(skeleton_->obj, name); }

void Driver::test(int program) {
  const std::uint32_t slot = 0;
  const int map = map_fd(door_ == Door::kXdp ? "under_test_xdp" : "under_test_tc");
  if (bpf_map_update_elem(map, &slot, &program, BPF_ANY) != 0) fail("putting a program under test");
}

void Driver::test(Floor floor) {
  const auto& programs = skeleton_->progs;
  const bpf_program* const xdp[] = {programs.floor_tx_xdp, programs.floor_hit_xdp, programs.floor_insert_xdp};
  const bpf_program* const tc[] = {programs.floor_tx_tc, programs.floor_hit_tc, programs.floor_insert_tc};
  test(bpf_program__fd((door_ == Door::kXdp ? xdp : tc)[static_cast<int>(floor)]));
}

double Driver::run(std::uint32_t packets, Verdict expected) {
  packet::Bytes out(frame_.size() + 512);
  __sk_buff skb{};
  xdp_md xdp{};
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame_.data();
  options.data_size_in = static_cast<std::uint32_t>(frame_.size());
  options.data_out = out.data();
  options.data_size_out = static_cast<std::uint32_t>(out.size());
  options.repeat = static_cast<int>(packets);
  if (door_ == Door::kXdp) {
    xdp.data_end = options.data_size_in;
    xdp.ingress_ifindex = packet::World::instance().eth0();
    options.ctx_in = &xdp;
    options.ctx_size_in = sizeof(xdp);
  } else {
    skb.ifindex = packet::World::instance().eth0();
    options.ctx_in = &skb;
    options.ctx_size_in = sizeof(skb);
  }
  const int program = bpf_program__fd(door_ == Door::kXdp ? skeleton_->progs.bench_xdp : skeleton_->progs.bench_tc);
  if (bpf_prog_test_run_opts(program, &options) != 0) fail("BPF_PROG_TEST_RUN");
  const Verdict verdict = packet::verdict_of(door_, options.retval);
  if (verdict != expected) {
    std::ostringstream text;
    text << "the last packet's verdict is " << verdict << " instead of " << expected;
    throw std::runtime_error(text.str());
  }
  return options.duration;
}

void Driver::everyone_once(Verdict expected) {
  traffic_->turn = 0;
  run(clients_.count, expected);
}

void Driver::fill_floor() {
  test(Floor::kInsert);
  everyone_once(Verdict::kSent);
}

void Driver::clear_floor() const { clear_hash(map_fd("floor_flows"), sizeof(limpet_flow4_key), sizeof(limpet_flow)); }

void clear_hash(int map, std::size_t key_size, std::size_t value_size) {
  constexpr std::uint32_t kBatch = 16384;
  std::vector<std::uint8_t> keys(kBatch * key_size);
  std::vector<std::uint8_t> values(kBatch * value_size);
  std::uint64_t place = 0;
  bool more = true;
  for (bool first = true; more; first = false) {
    std::uint32_t count = kBatch;
    bpf_map_batch_opts options{};
    options.sz = sizeof(options);
    more = bpf_map_lookup_and_delete_batch(map, first ? nullptr : &place, &place, keys.data(), values.data(), &count,
                                           &options) == 0;
    if (!more && errno != ENOENT) fail("emptying a table");
  }
}

}  // namespace limpet::bench
