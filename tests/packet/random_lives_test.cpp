// SPDX-License-Identifier: Apache-2.0
// Any sequence of commands, settings and packets, at every scheduler and kind of service: the counters add up, nobody
// new is sent to a server that takes nobody, and what is remembered names servers that there are. The seed is printed;
// LIMPET_SEED repeats a run.
#include <cstdlib>
#include <random>
#include <set>

#include "fixture.h"

namespace limpet::packet {
namespace {

struct Life {
  const char* name;
  limpet_scheduler scheduler;
  std::uint32_t flags = 0;
};

enum class Kind { one_port, every_port, mark, datagrams, one_packet };
constexpr std::pair<const char*, Kind> kKinds[] = {{"one_port", Kind::one_port},
                                                   {"every_port", Kind::every_port},
                                                   {"mark", Kind::mark},
                                                   {"datagrams", Kind::datagrams},
                                                   {"one_packet", Kind::one_packet}};

class RandomLives : public PacketTest,
                    public testing::WithParamInterface<std::tuple<Life, std::pair<const char*, Kind>>> {
 protected:
  static constexpr int kSteps = 250;

  void SetUp() override {
    PacketTest::SetUp();
    const char* given = std::getenv("LIMPET_SEED");
    const auto seed =
        given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device()();
    RecordProperty("seed", std::to_string(seed));
    trace_ = "LIMPET_SEED=" + std::to_string(seed);
    random_.seed(seed);
  }

  std::uint32_t below(std::uint32_t limit) { return random_() % limit; }
  std::uint32_t any_server() { return servers_[below(static_cast<std::uint32_t>(servers_.size()))]; }

  void live() {
    service_ = &tables.add(spec().scheduled(life_.scheduler, life_.flags));
    if (kind_ == Kind::mark) tables.add_address(ip(kVip));
    for (const auto& address : {kServerA, kServerB, kServerC}) {
      servers_.push_back(tables.add_server(*service_, {address, 80, below(2) == 0 ? LIMPET_ROUTE : LIMPET_MASQ}));
    }
    for (int i = 0; i < kSteps && !HasFailure(); i++) step();
    expect_counts_match_entries(servers_);
    expect_templates_hold_their_flows();
    std::uint64_t connections = 0;
    std::uint64_t packets = 0;
    for (const std::uint32_t server : servers_) {
      connections += tables.counters(server).connections;
      packets += tables.counters(server).in_packets;
    }
    EXPECT_EQ(connections, opened_);
    EXPECT_EQ(packets, forwarded_);
    for (const auto& [key, entry] : tables.templates()) {
      EXPECT_NE(tables.destination(entry.destination).flags & LIMPET_DESTINATION_USED, 0U) << "spent, or of a server";
    }
  }

  std::string trace_;

 private:
  ServiceSpec spec() const {
    switch (kind_) {
      case Kind::every_port:
        return tcp_service(kVip, 0).persistent(30);
      case Kind::mark:
        return mark_service(10);
      case Kind::datagrams:
        return udp_service(kVip, 80);
      case Kind::one_packet:
        return udp_service(kVip, 80).of_one_packet();
      default:
        return tcp_service(kVip, 80);
    }
  }
  bool is_udp() const { return kind_ == Kind::datagrams || kind_ == Kind::one_packet; }

  void step() {
    switch (below(18)) {
      case 0:
        return tables.weigh(*service_, any_server(), below(4));
      case 1:
        return tables.limit(*service_, any_server(), below(3) == 0 ? 0 : 2 + below(6), below(2));
      case 2:
        return remove_or_restore(any_server());
      case 3:
        service_->spec.timeout = kind_ == Kind::every_port || below(2) == 0 ? 30 : 0;
        service_->spec.mask = below(2) == 0 ? "255.255.255.255" : "255.255.255.0";
        return tables.store(*service_);
      case 4:
        tables.let_pass(1 + below(40));
        return tables.sweep();
      case 16:
        tables.config().expire_nodest_conn = below(2);
        tables.config().expire_quiescent_template = below(2);
        tables.config().conn_reuse_mode = below(4);
        return tables.store_config();
      case 17:
        tables.sweep(LIMPET_EXPIRE_FLOWS4, LIMPET_EXPIRE_TEMPLATES4);
        return below(2) == 0 ? tables.sweep(LIMPET_DROP_FLOWS4, LIMPET_DROP_TEMPLATES4) : void();
      case 5:
      case 6:
      case 7:
      case 8:
        return go_on();
      default:
        return open();
    }
  }

  void remove_or_restore(std::uint32_t server) {
    if (removed_.erase(server) != 0) return tables.restore_server(*service_, server);
    tables.remove_server(*service_, server);
    removed_.insert(server);
  }

  struct Connection {
    std::string client;
    std::uint16_t port, to_port;
  };

  // A new port each time: no connection begins anew in place of an old one, whose end would make room.
  void open() {
    const std::uint16_t to_port = (kind_ == Kind::every_port || kind_ == Kind::mark) && below(2) == 0 ? 443 : 80;
    connections_.push_back({"10.1." + std::to_string(below(3)) + "." + std::to_string(1 + below(4)),
                            static_cast<std::uint16_t>(1024 + connections_.size()), to_port});
    send(connections_.back(), kSyn);
  }

  std::set<std::uint32_t> taking() {
    std::set<std::uint32_t> ids;
    for (const std::uint32_t server : servers_) {
      // lblc goes by a load of its own where it remembers a server (ip_vs_lblc.c, is_overloaded()).
      const bool overloaded = life_.scheduler != LIMPET_LBLC && tables.counts(server).overloaded != 0;
      if (removed_.count(server) == 0 && tables.destination(server).weight != 0 && !overloaded) ids.insert(server);
    }
    return ids;
  }

  // Where a template may lead the client, live or just ended; 0: there is none.
  std::uint32_t remembered(const std::string& client) {
    if (service_->spec.timeout == 0) return 0;
    for (const auto& [key, entry] : tables.templates()) {
      const bool is_given_up = key.virtual_port == LIMPET_INVALID_PORT;
      if (!is_given_up && key.client_network == (ip(client) & ip(service_->spec.mask))) return entry.destination;
    }
    return 0;
  }

  void go_on() {
    if (connections_.empty()) return;
    constexpr int kFlags[] = {kAck, kAck | kPsh, kAck | kFin, kRst};
    send(connections_[below(static_cast<std::uint32_t>(connections_.size()))], kFlags[below(4)]);
  }

  // The server of the connection's entry, 0: it has none that is alive.
  std::uint32_t server_of(const Connection& c) {
    const auto flow = tables.flow(flow_key(c.client, c.port, kVip, c.to_port, is_udp() ? 17 : 6));
    return flow && life_of(flow->word) == LIMPET_LIFE_ALIVE ? flow->destination : 0;
  }

  void send(const Connection& c, int flags) {
    const std::set<std::uint32_t> serving = taking();
    const std::uint32_t by_template = remembered(c.client);
    const std::uint32_t before = server_of(c);
    Packet sent = packet().from(c.client, c.port).to(kVip, c.to_port);
    sent = is_udp() ? sent.udp() : sent.tcp(flags);
    const bool marked = kind_ == Kind::mark;
    Outcome outcome = run(marked ? Door::kMark : below(2) == 0 ? Door::kTc : Door::kXdp, sent, marked ? 10 : 0);
    if (outcome.verdict == Verdict::kPass && !marked) outcome = run(Door::kTc, sent);  // what XDP leaves to tc
    // What nobody takes is answered with an ICMP error.
    const bool forwarded = outcome.verdict == Verdict::kSent && outcome.view().protocol() != 1;
    forwarded_ += forwarded ? 1 : 0;
    if (kind_ == Kind::one_packet) {
      opened_ += forwarded ? 1 : 0;
      return;
    }
    const std::uint32_t server = server_of(c);
    if (!forwarded || server == 0 || server == before) return;
    opened_++;
    EXPECT_EQ(removed_.count(server), 0U) << "a removed server";
    if (server != by_template) {
      EXPECT_EQ(serving.count(server), 1U) << "server " << server << " takes nobody";
    }
  }

  const Life life_ = std::get<0>(GetParam());
  const Kind kind_ = std::get<1>(GetParam()).second;
  std::mt19937 random_;
  Service* service_ = nullptr;
  std::vector<std::uint32_t> servers_;
  std::set<std::uint32_t> removed_;
  std::vector<Connection> connections_;
  std::uint64_t opened_ = 0;
  std::uint64_t forwarded_ = 0;
};

constexpr Life kLives[] = {{"rr", LIMPET_RR},
                           {"wrr", LIMPET_WRR},
                           {"lc", LIMPET_LC},
                           {"wlc", LIMPET_WLC},
                           {"lblc", LIMPET_LBLC},
                           {"lblcr", LIMPET_LBLCR},
                           {"dh", LIMPET_DH},
                           {"sh", LIMPET_SH},
                           {"sh_fallback", LIMPET_SH, LIMPET_SERVICE_FALLBACK},
                           {"mh", LIMPET_MH},
                           {"mh_port", LIMPET_MH, LIMPET_SERVICE_HASH_PORT | LIMPET_SERVICE_FALLBACK},
                           {"maglev", LIMPET_MAGLEV},
                           {"sed", LIMPET_SED},
                           {"nq", LIMPET_NQ},
                           {"fo", LIMPET_FO},
                           {"ovf", LIMPET_OVF},
                           {"twos", LIMPET_TWOS}};
INSTANTIATE_TEST_SUITE_P(Of, RandomLives, testing::Combine(testing::ValuesIn(kLives), testing::ValuesIn(kKinds)),
                         [](const auto& instance) {
                           return std::string(std::get<0>(instance.param).name) + "_" +
                                  std::get<1>(instance.param).first;
                         });

TEST_P(RandomLives, add_up_and_send_nobody_new_where_nobody_is_taken) {
  live();
  if (HasFailure()) ADD_FAILURE() << "repeat with " << trace_;
}

}  // namespace
}  // namespace limpet::packet
