// SPDX-License-Identifier: Apache-2.0
// Two CPUs at the same entries: whoever wins, counts and templates must be those of the entries in the end.
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "fixture.h"

namespace limpet::packet {
namespace {

constexpr auto kDuration = std::chrono::seconds(3);

class Races : public PacketTest {
 protected:
  // Runs `work(cpu, random)` again and again on two CPUs at once, and `beside` on any.
  template <class Work, class Beside>
  void race(Work work, Beside beside) {
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (unsigned cpu = 0; cpu < 2; cpu++) {
      threads.emplace_back([&, cpu] {
        const OnOneCpu here(cpu % std::max(1U, std::thread::hardware_concurrency()));
        std::mt19937 random(cpu + 1);
        while (!stop) work(random);
      });
    }
    const auto until = std::chrono::steady_clock::now() + kDuration;
    while (std::chrono::steady_clock::now() < until) beside();
    stop = true;
    for (std::thread& thread : threads) thread.join();
  }

  void expect_everything_to_add_up(const std::vector<std::uint32_t>& servers) {
    for (const auto& [key, flow] : tables.flows()) EXPECT_NE(life_of(flow.word), LIMPET_LIFE_BUSY);
    for (const auto& [key, entry] : tables.templates()) EXPECT_NE(life_of(entry.word), LIMPET_LIFE_BUSY);
    expect_counts_match_entries(servers);
    expect_templates_hold_their_flows();
  }
  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }
};

// Both CPUs send the same new client's packets at about the same time: one flow, one template.
TEST_F(Races, two_CPUs_open_the_same_flows_and_templates) {
  Service& sticky = tables.add(tcp_service(kVip, 80).persistent(300).masked("255.255.255.252"));
  const auto ids = tables.add_servers(sticky, {masq(kServerA), masq(kServerB), route(kServerC)});
  std::atomic<std::uint32_t> turn = 0;
  race(
      [&](std::mt19937&) {
        const std::uint32_t client = (turn++ / 2) % 30000;
        plane.run(Door::kTc, packet()
                                 .from_address(ip("10.0.0.0") + ((client & 0xff) << 24) + ((client >> 8 & 0xff) << 16),
                                               static_cast<std::uint16_t>(5000 + (client >> 16)))
                                 .tcp(kSyn)
                                 .bytes());
      },
      pause);
  EXPECT_GT(tables.flows().size(), 1000U);
  expect_everything_to_add_up(ids);
  std::uint64_t connections = 0;
  for (const std::uint32_t id : ids) connections += tables.counters(id).connections;
  EXPECT_EQ(connections, tables.flows().size()) << "each was opened once";
}

// A list of few servers and one of many take turns, under schedulers that read them in every way.
TEST_F(Races, no_packet_sees_a_mix_of_two_lists) {
  constexpr limpet_scheduler kSchedulers[] = {LIMPET_RR, LIMPET_WRR, LIMPET_WLC,  LIMPET_FO,   LIMPET_SH,
                                              LIMPET_MH, LIMPET_DH,  LIMPET_LBLC, LIMPET_TWOS, LIMPET_MAGLEV};
  Service& service = tables.add(tcp_service(kVip, 80));
  std::vector<ServerSpec> specs;
  for (std::uint32_t i = 0; i < 90; i++) specs.push_back(route(kServerA).weight(i + 1));
  const auto all = tables.add_servers(service, specs);
  const std::vector<std::uint32_t> few(all.begin() + 10, all.begin() + 13);
  std::atomic<std::uint32_t> client = 0;
  std::atomic<int> astray = 0;
  std::mt19937 choose(7);
  int published = 0;
  race(
      [&](std::mt19937&) {
        const auto source = ip("10.0.0.0") + ((client++ & 0xffff) << 16);
        if (plane.run(Door::kTc, packet().from_address(source, 5000).tcp(kSyn).bytes()).verdict != Verdict::kSent)
          astray++;
      },
      [&] {
        service.servers = choose() % 2 == 0 ? few : all;
        service.spec.scheduler = kSchedulers[choose() % std::size(kSchedulers)];
        tables.publish(service);
        published++;
      });
  EXPECT_EQ(astray, 0) << "of " << client << " connections, lists: " << published;
  for (const auto& [key, flow] : tables.flows())
    EXPECT_TRUE(std::find(all.begin(), all.end(), flow.destination) != all.end()) << flow.destination;
}

// A network behind one address, or -M 0.0.0.0: every connection re-arms the one template, and none may miss it.
TEST_F(Races, all_connections_of_a_busy_network_reach_the_server_of_its_template) {
  Service& sticky = tables.add(tcp_service(kVip, 80).persistent(300).masked("0.0.0.0"));
  const auto ids = tables.add_servers(sticky, {route(kServerA), route(kServerB), route(kServerC)});
  race(
      [&](std::mt19937& random) {
        plane.run(Door::kTc, packet()
                                 .from("10.0.0." + std::to_string(random() % 200),
                                       static_cast<std::uint16_t>(5000 + random() % 50000))
                                 .tcp(kSyn)
                                 .bytes());
      },
      pause);
  const auto templates = tables.templates();
  ASSERT_EQ(templates.size(), 1U);
  const std::uint32_t server = templates.begin()->second.destination;
  std::size_t elsewhere = 0;
  std::size_t uncontrolled = 0;
  for (const auto& [key, flow] : tables.flows()) {
    elsewhere += flow.destination != server ? 1 : 0;
    uncontrolled += flow.template_kind == LIMPET_TEMPLATE_NONE ? 1 : 0;
  }
  EXPECT_EQ(elsewhere, 0U) << "of " << tables.flows().size();
  EXPECT_EQ(uncontrolled, 0U);
  expect_everything_to_add_up(ids);
}

// Few keys and no timeouts: entries are opened anew in place and swept all the time, and those of two other seconds
// out of three are idle long enough to be deleted.
TEST_F(Races, flows_end_and_begin_while_the_sweeper_runs) {
  Service& http = tables.add(tcp_service(kVip, 80));
  const auto ids = tables.add_servers(http, {masq(kServerA), masq(kServerB), route(kServerC)});
  std::fill(std::begin(tables.config().tcp_timeouts), std::end(tables.config().tcp_timeouts), 0);
  tables.store_config();
  std::vector<Bytes> keys;
  for (std::uint32_t i = 0; i < LIMPET_SWEEP_KEYS; i++) {
    const limpet_flow4_key key = flow_key("10.0.0.1", static_cast<std::uint16_t>(5000 + i % 30), kVip, 80);
    keys.emplace_back(sizeof(key));
    std::memcpy(keys.back().data(), &key, sizeof(key));
  }
  race(
      [&](std::mt19937& random) {
        const int flags[] = {kSyn, kSyn, kAck, kRst};
        const std::uint64_t second = ticks_now() / LIMPET_TICKS_PER_SECOND;
        plane.run(Door::kTc, packet()
                                 .from("10.0.0.1", static_cast<std::uint16_t>(5000 + second % 3 * 10 + random() % 10))
                                 .tcp(flags[random() % 4])
                                 .bytes());
      },
      [&] { plane.sweep(LIMPET_SWEEP_FLOWS4, keys); });
  expect_everything_to_add_up(ids);
}

TEST_F(Races, templates_end_and_begin_while_the_sweeper_runs) {
  Service& sticky = tables.add(tcp_service(kVip, 80).persistent(1));
  const auto ids = tables.add_servers(sticky, {masq(kServerA), route(kServerB), route(kServerC)});
  tables.config().tcp_timeouts[LIMPET_TCP_SYN_RECV] = 0;
  tables.config().tcp_timeouts[LIMPET_TCP_CLOSE] = 0;
  tables.store_config();
  race(
      [&](std::mt19937& random) {
        plane.run(Door::kTc,
                  packet()
                      .from("10.0.0." + std::to_string(random() % 8), static_cast<std::uint16_t>(5000 + random() % 5))
                      .tcp(kSyn)
                      .bytes());
        // Now and then a client is quiet long enough for its template to end.
        if (random() % 4096 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1100));
      },
      [&] { tables.sweep(); });
  expect_everything_to_add_up(ids);
}

// An array of the data plane's as memory.
template <class T>
class Mapped {
 public:
  Mapped(const Plane& plane, const char* name, std::size_t count)
      : bytes_(count * sizeof(T)),
        memory_(::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, plane.map(name).descriptor(), 0)) {
    if (memory_ == MAP_FAILED) throw std::runtime_error(std::string("cannot map ") + name);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() { ::munmap(memory_, bytes_); }

  T& operator[](std::size_t index) const { return static_cast<T*>(memory_)[index]; }

 private:
  std::size_t bytes_;
  void* memory_;
};

// Changes thresholds as limpetd does, while packets count.
class Thresholds {
 public:
  explicit Thresholds(const Plane& plane)
      : destinations_(plane, "destinations", kDestinations), counts_(plane, "counts", kDestinations) {}

  void change(std::uint32_t id, std::uint32_t upper, std::uint32_t lower) const {
    limpet_destination& d = destinations_[id];
    limpet_counts& c = counts_[id];
    __atomic_store_n(&d.upper_threshold, upper, __ATOMIC_SEQ_CST);
    __atomic_store_n(&d.lower_threshold, lower, __ATOMIC_SEQ_CST);
    const std::uint32_t least = lower != 0 ? lower : upper - upper / 4;
    for (int i = 0; i < 8; i++) {
      const auto total = static_cast<std::uint32_t>(__atomic_load_n(&c.total, __ATOMIC_SEQ_CST));
      const std::uint32_t before = __atomic_load_n(&c.overloaded, __ATOMIC_SEQ_CST);
      const std::uint32_t now = upper == 0 ? 0 : total >= upper ? 1 : total < least ? 0 : before;
      if (now == before) return;
      __atomic_store_n(&c.overloaded, now, __ATOMIC_SEQ_CST);
    }
  }

 private:
  Mapped<limpet_destination> destinations_;
  Mapped<limpet_counts> counts_;
};

// Servers go and come back under load: templates are given up while their flows end.
TEST_F(Races, templates_are_given_up_while_their_flows_end) {
  Service& sticky = tables.add(tcp_service(kVip, 80).persistent(300));
  const auto ids = tables.add_servers(sticky, {route(kServerA), route(kServerB)});
  tables.config().tcp_timeouts[LIMPET_TCP_SYN_RECV] = 0;
  tables.store_config();
  race(
      [&](std::mt19937& random) {
        plane.run(Door::kTc,
                  packet()
                      .from("10.0.0." + std::to_string(random() % 4), static_cast<std::uint16_t>(5000 + random() % 50))
                      .tcp(kSyn)
                      .bytes());
      },
      [&] {
        const std::uint32_t id = ids[std::random_device{}() % 2];
        tables.remove_server(sticky, id);
        tables.sweep();
        tables.restore_server(sticky, id);
        tables.sweep();
      });
  expect_everything_to_add_up(ids);
}

// Ports that are used again while their connections are closing: what is held of the old one and of the new one is in
// the end what is there, whether one CPU or the other has come first, and whether the XDP door has left it to tc.
TEST_F(Races, ports_are_used_again_at_both_doors) {
  Service& http = tables.add(tcp_service(kVip, 80).scheduled(LIMPET_LC));
  const auto ids = tables.add_servers(http, {masq(kServerA).thresholds(12), masq(kServerB), masq(kSilentServer)});
  race(
      [&](std::mt19937& random) {
        const int flags[] = {kSyn, kSyn, kAck, kRst};  // once a RST has closed it, a SYN opens it anew
        const Bytes bytes =
            packet().from("10.0.0.1", static_cast<std::uint16_t>(5000 + random() % 8)).tcp(flags[random() % 4]).bytes();
        if (random() % 2 == 0 || plane.run(Door::kXdp, bytes).verdict == Verdict::kPass) plane.run(Door::kTc, bytes);
      },
      [&] { tables.sweep(); });
  expect_everything_to_add_up(ids);
}

// Connections begin and end on both CPUs, and limpetd changes thresholds meanwhile: in the end each server is
// overloaded or not as its number of connections says.
TEST_F(Races, an_overloaded_server_is_known_as_one_and_no_other) {
  Service& http = tables.add(tcp_service(kVip, 80));
  const auto ids =
      tables.add_servers(http, {route(kServerA).thresholds(5), route(kServerB).thresholds(8, 7), route(kServerC)});
  std::fill(std::begin(tables.config().tcp_timeouts), std::end(tables.config().tcp_timeouts), 0);
  tables.config().tcp_timeouts[LIMPET_TCP_SYN_RECV] = 60;
  tables.config().tcp_timeouts[LIMPET_TCP_ESTABLISHED] = 60;
  tables.store_config();
  const Thresholds thresholds(plane);
  std::mt19937 limits(3);
  race(
      [&](std::mt19937& random) {
        const int flags[] = {kSyn, kAck, kRst};  // once a RST has ended it, a SYN opens it anew
        plane.run(Door::kTc, packet()
                                 .from("10.0.0.1", static_cast<std::uint16_t>(5000 + random() % 24))
                                 .tcp(flags[random() % 3])
                                 .bytes());
      },
      [&] {
        thresholds.change(ids[limits() % 2], limits() % 10, limits() % 4);
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      });
  expect_everything_to_add_up(ids);
  for (const std::uint32_t id : ids) {
    const limpet_counts counts = tables.counts(id);
    const limpet_destination d = tables.destination(id);
    const std::uint32_t upper = d.upper_threshold;
    const std::uint32_t lower = d.lower_threshold != 0 ? d.lower_threshold : upper - upper / 4;
    const auto total = static_cast<std::uint32_t>(counts.total);
    if (upper != 0 && total >= upper) {
      EXPECT_EQ(counts.overloaded, 1U) << "server " << id << ": " << total << " of " << upper;
    } else if (upper == 0 || total < lower) {
      EXPECT_EQ(counts.overloaded, 0U) << "server " << id << ": " << total << " of " << upper;
    }
  }
}

// Next hops as the programs see them, so that a test can let them grow old while packets are under way.
class NextHops {
 public:
  explicit NextHops(const Plane& plane) : slots_(plane, "nexthops", kDestinations + LIMPET_CLIENT_HOPS) {}

  // False: it is just being refreshed.
  bool age(std::uint32_t index) {
    auto& word = slots_[index].word;
    auto now = __atomic_load_n(&word, __ATOMIC_SEQ_CST);
    if ((now & LIMPET_NEXTHOP_CLAIMED) != 0) return false;
    const std::uint64_t then = (ticks_now() - 2 * LIMPET_TICKS_PER_SECOND) << LIMPET_NEXTHOP_TICKS_SHIFT;
    const std::uint64_t old = (now & ~LIMPET_NEXTHOP_TICKS_MASK) | (then & LIMPET_NEXTHOP_TICKS_MASK);
    return __atomic_compare_exchange_n(&word, &now, old, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  }

 private:
  Mapped<limpet_nexthop> slots_;
};

// A next hop that has grown old is claimed by one CPU; the other goes on meanwhile. The claimer's packet is the
// neighbour's probe, which the kernel's own code addresses.
TEST_F(Races, one_of_two_CPUs_refreshes_a_next_hop_while_the_sweeper_runs) {
  const std::uint32_t id = tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  tables.forget_hops();
  NextHops hops(plane);
  std::atomic<std::uint64_t> probes = 0;
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> astray = 0;
  std::uint64_t aged = 1;  // there is none yet
  race(
      [&](std::mt19937& random) {
        const auto port = static_cast<std::uint16_t>(5000 + random() % 50);
        const Outcome out =
            plane.run(Door::kTc, packet().from("10.0.0.1", port).tcp(random() % 4 ? kAck : kSyn).bytes());
        if (out.verdict == Verdict::kPass) return;  // an ACK that has no flow yet
        const Mac to = out.view().destination_mac();
        ++(out.verdict == Verdict::kSent && to == kServerAMac ? sent : to == kDirectorMac ? probes : astray);
      },
      [&] {
        for (int i = 0; i < 100; i++) aged += hops.age(id) ? 1 : 0;
        tables.sweep();
      });
  EXPECT_EQ(astray, 0U);
  EXPECT_GT(sent, 1000U);
  EXPECT_GT(probes, 50U);
  EXPECT_LE(probes, aged) << "one for each time it was old";
  expect_everything_to_add_up({id});
}

// Masqueraded replies share slots by a hash of their client; here three clients share one.
TEST_F(Races, clients_that_share_a_next_hop_slot_do_not_get_each_others_packets) {
  const Temporarily network("addr add 10.76.0.1/14 dev eth0", "addr del 10.76.0.1/14 dev eth0");
  const auto slot_of = [](std::uint32_t client) {
    return ((client ^ (ip(kVip) * 0x85ebca6bU)) * 0x9e3779b1U) >> 16;  // bpf/nexthop.h, client_hop_index()
  };
  std::vector<std::string> clients;
  for (int i = 77 * 65536; i < 80 * 65536 && clients.size() < 3; i++) {  // one in each network of 65536
    const std::string address =
        "10." + std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256);
    if (clients.empty() || slot_of(ip(address)) == slot_of(ip(clients[0]))) clients.push_back(address);
  }
  ASSERT_EQ(clients.size(), 3U);
  std::vector<Bytes> replies;
  std::vector<std::unique_ptr<Temporarily>> neighbours;
  tables.add_server(tables.add(tcp_service(kVip, 80)), masq(kServerA));
  for (std::size_t i = 0; i < clients.size(); i++) {
    neighbours.push_back(std::make_unique<Temporarily>(
        "neigh add " + clients[i] + " lladdr 02:00:00:00:77:0" + std::to_string(i) + " nud permanent dev eth0",
        "neigh del " + clients[i] + " dev eth0"));
    connect(clients[i], 5000);
    replies.push_back(packet().from(kServerA, 80).to(clients[i], 5000).tcp(kSyn | kAck).bytes());
  }
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> astray = 0;
  race(
      [&](std::mt19937& random) {
        const std::size_t i = random() % clients.size();
        const Outcome out = plane.run(Door::kTc, replies[i]);
        const Mac to = out.view().destination_mac();
        // By itself the kernel's neighbour code leaves the frame's own addresses here.
        const bool right = to == Mac{2, 0, 0, 0, 0x77, static_cast<std::uint8_t>(i)} || to == kDirectorMac;
        ++(out.verdict == Verdict::kSent && right ? sent : astray);
      },
      pause);
  EXPECT_EQ(astray, 0U);
  EXPECT_GT(sent, 1000U);
}

// Two addresses with one slot in the cache of local ones, of which one is not local.
TEST_F(Races, an_address_is_not_taken_for_local_because_another_one_is) {
  const auto slot_of = [](std::uint32_t address) { return (address * 0x9e3779b1U) >> 16; };  // bpf/address.h
  std::string stranger;
  for (int i = 1; i < 65536 && stranger.empty(); i++) {
    const std::string address = "10.78." + std::to_string(i / 256) + "." + std::to_string(i % 256);
    if (slot_of(ip(address)) % LIMPET_LOCAL_SLOTS == slot_of(ip(kVip)) % LIMPET_LOCAL_SLOTS) stranger = address;
  }
  ASSERT_FALSE(stranger.empty());
  tables.add_server(tables.add(tcp_service(kVip, 80)), route(kServerA));
  tables.add_server(tables.add(tcp_service(stranger, 80)), route(kServerA));
  const Bytes ours = packet().tcp(kSyn).bytes();
  const Bytes not_ours = packet().to(stranger, 80).tcp(kSyn).bytes();
  std::atomic<std::uint64_t> right = 0;
  std::atomic<std::uint64_t> wrong = 0;
  race(
      [&](std::mt19937& random) {
        const bool local = random() % 2 == 0;
        const Outcome out = plane.run(Door::kTc, local ? ours : not_ours);
        ++(out.verdict == (local ? Verdict::kSent : Verdict::kPass) ? right : wrong);
      },
      [&] { tables.forget_local_addresses(); });
  EXPECT_EQ(wrong, 0U);
  EXPECT_GT(right, 1000U);
}

}  // namespace
}  // namespace limpet::packet
