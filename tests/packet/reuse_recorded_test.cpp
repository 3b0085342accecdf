// SPDX-License-Identifier: Apache-2.0
// What a real kernel's ip_vs did with a client's port that is used again, under every setting that has a say in it.
#include <string>

#include "fixture.h"

namespace limpet::packet {
namespace {

enum class Ending { closed, reset, gone };  // gone: the client knows nothing of the connection any more
enum class Fate { healthy, weight_0, removed };

struct Settings {
  limpet_method method;
  std::uint32_t conn_reuse_mode, expire_nodest_conn, expire_quiescent_template;
  // By service (plain, then persistent), the first server's fate, the connection's ending: who got the second one. 2 is
  // the first server, which was added last, 1 the other; -: nobody, the client heard nothing.
  const char* second;
};

constexpr Settings kRecordedReuse[] = {
    {LIMPET_ROUTE, 0, 0, 0, "222 222 --- 222 222 ---"}, {LIMPET_ROUTE, 0, 0, 1, "222 222 --- 222 222 ---"},
    {LIMPET_ROUTE, 0, 1, 0, "222 111 111 222 222 111"}, {LIMPET_ROUTE, 0, 1, 1, "222 111 111 222 111 111"},
    {LIMPET_ROUTE, 1, 0, 0, "211 211 -1- 222 222 ---"}, {LIMPET_ROUTE, 1, 0, 1, "211 211 -1- 222 222 ---"},
    {LIMPET_ROUTE, 1, 1, 0, "211 111 111 222 222 111"}, {LIMPET_ROUTE, 1, 1, 1, "211 111 111 222 111 111"},
    {LIMPET_ROUTE, 2, 0, 0, "111 111 11- 222 222 ---"}, {LIMPET_ROUTE, 2, 0, 1, "111 111 11- 222 222 ---"},
    {LIMPET_ROUTE, 2, 1, 0, "111 111 111 222 222 111"}, {LIMPET_ROUTE, 2, 1, 1, "111 111 111 222 111 111"},
    {LIMPET_MASQ, 0, 0, 0, "222 222 --- 222 222 ---"},  {LIMPET_MASQ, 0, 0, 1, "222 222 --- 222 222 ---"},
    {LIMPET_MASQ, 0, 1, 0, "222 111 111 222 222 111"},  {LIMPET_MASQ, 0, 1, 1, "222 111 111 222 111 111"},
    {LIMPET_MASQ, 1, 0, 0, "111 111 11- 222 222 ---"},  {LIMPET_MASQ, 1, 0, 1, "111 111 11- 222 222 ---"},
    {LIMPET_MASQ, 1, 1, 0, "111 111 111 222 222 111"},  {LIMPET_MASQ, 1, 1, 1, "111 111 111 222 111 111"},
    {LIMPET_MASQ, 2, 0, 0, "111 111 11- 222 222 ---"},  {LIMPET_MASQ, 2, 0, 1, "111 111 11- 222 222 ---"},
    {LIMPET_MASQ, 2, 1, 0, "111 111 111 222 222 111"},  {LIMPET_MASQ, 2, 1, 1, "111 111 111 222 111 111"},
};

class ReuseRecordedByTheKernel : public AtDoor {
 protected:
  char second_of(const Settings& settings, bool persistent, Fate fate, Ending ending) {
    begin(settings, persistent);
    first_ = connect("10.0.0.1", 5000, 80, door);
    establish();
    if (ending == Ending::closed) close();
    if (ending == Ending::reset) send(kRst);
    if (fate == Fate::weight_0) tables.weigh(*service_, first_, 0);
    if (fate == Fate::removed) tables.remove_server(*service_, first_);
    // limpetd's sweeper, for what a removal leaves.
    if (settings.expire_nodest_conn != 0) tables.sweep(LIMPET_EXPIRE_FLOWS4, LIMPET_EXPIRE_TEMPLATES4);
    if (send(kSyn) == Verdict::kDrop) return '-';
    if (ending == Ending::gone && server() == first_) {
      // The server answers within the old connection, which the client refuses before it asks again.
      send(kRst);
      send(kSyn);
    }
    return server() == first_ ? '2' : '1';
  }

 private:
  void begin(const Settings& settings, bool persistent) {
    tables.reset();
    tables.config().conn_reuse_mode = settings.conn_reuse_mode;
    tables.config().expire_nodest_conn = settings.expire_nodest_conn;
    tables.config().expire_quiescent_template = settings.expire_quiescent_template;
    tables.store_config();
    ServiceSpec spec = tcp_service(kVip, 80);
    service_ = &tables.add(persistent ? spec.persistent(100) : spec);
    masqueraded_ = settings.method == LIMPET_MASQ;
    for (const std::string& address : {kServerA, kServerB})
      tables.add_server(*service_, masqueraded_ ? masq(address) : route(address));
  }
  void establish() {
    reply(kSyn | kAck);
    send(kAck);
  }
  // The server first, which the director sees only if it masquerades.
  void close() {
    reply(kFin | kAck);
    send(kFin | kAck);
    reply(kAck);
  }
  Verdict send(int flags) { return run(door, packet().from("10.0.0.1", 5000).tcp(flags)).verdict; }
  void reply(int flags) {
    if (masqueraded_) run(Door::kTc, packet().from(kServerB, 80).to("10.0.0.1", 5000).tcp(flags));
  }
  std::uint32_t server() { return tables.flow(flow_key("10.0.0.1", 5000, kVip, 80)).value().destination; }

  Service* service_ = nullptr;
  std::uint32_t first_ = 0;
  bool masqueraded_ = false;
};
INSTANTIATE_TEST_SUITE_P(At, ReuseRecordedByTheKernel, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(ReuseRecordedByTheKernel, the_second_connection_goes_where_the_kernels_went) {
  for (const Settings& settings : kRecordedReuse) {
    std::string second;
    for (const bool persistent : {false, true}) {
      for (const Fate fate : {Fate::healthy, Fate::weight_0, Fate::removed}) {
        if (!second.empty()) second += ' ';
        for (const Ending ending : {Ending::closed, Ending::reset, Ending::gone})
          second += second_of(settings, persistent, fate, ending);
      }
    }
    EXPECT_EQ(second, settings.second) << (settings.method == LIMPET_MASQ ? "-m" : "-g") << ", conn_reuse_mode "
                                       << settings.conn_reuse_mode << ", expire_nodest_conn "
                                       << settings.expire_nodest_conn << ", expire_quiescent_template "
                                       << settings.expire_quiescent_template;
  }
}

}  // namespace
}  // namespace limpet::packet
