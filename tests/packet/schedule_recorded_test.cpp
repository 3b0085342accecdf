// SPDX-License-Identifier: Apache-2.0
// What a real kernel's ip_vs chose: 24 connections one after another to three servers, as recorded with Linux' IPVS.
// wrr's begin depends on how the servers were added: at level 1, that of the first one, whose weight was the divisor of
// all then (dataplane/schedule_cursor_test.cpp).
#include <algorithm>

#include "fixture.h"

namespace limpet::packet {
namespace {

struct Recorded {
  const char* name;
  limpet_scheduler scheduler;
  std::vector<std::uint32_t> weights;  // in the order in which the servers are added
  bool closes;                         // each connection, before the next one begins
  std::string servers;                 // 1 is the one added first; -: refused
};

const Recorded kRecorded[] = {
    {"rr", LIMPET_RR, {1, 2, 3}, false, "321321321321321321321321"},
    {"rr", LIMPET_RR, {1, 2, 3}, true, "321321321321321321321321"},
    {"lc", LIMPET_LC, {1, 2, 3}, false, "321321321321321321321321"},
    {"lc", LIMPET_LC, {1, 2, 3}, true, "321321321321321321321321"},
    {"wlc", LIMPET_WLC, {1, 2, 3}, false, "321323321323321323321323"},
    {"wlc", LIMPET_WLC, {1, 2, 3}, true, "321323321323321323321323"},
    {"sed", LIMPET_SED, {1, 2, 3}, false, "323321323321323321323321"},
    {"sed", LIMPET_SED, {1, 2, 3}, true, "333333333333333333333333"},
    {"nq", LIMPET_NQ, {1, 2, 3}, false, "321332323321323321323321"},
    {"nq", LIMPET_NQ, {1, 2, 3}, true, "333333333333333333333333"},
    {"fo", LIMPET_FO, {1, 2, 3}, false, "333333333333333333333333"},
    {"fo", LIMPET_FO, {1, 2, 3}, true, "333333333333333333333333"},
    {"ovf", LIMPET_OVF, {1, 2, 3}, false, "333322211---------------"},
    {"ovf", LIMPET_OVF, {1, 2, 3}, true, "333333333333333333333333"},
    {"rr", LIMPET_RR, {1, 1, 1}, false, "321321321321321321321321"},
    {"rr", LIMPET_RR, {3, 2, 1}, false, "321321321321321321321321"},
    {"rr", LIMPET_RR, {3, 0, 1}, false, "313131313131313131313131"},
    {"lc", LIMPET_LC, {1, 1, 1}, false, "321321321321321321321321"},
    {"lc", LIMPET_LC, {3, 2, 1}, false, "321321321321321321321321"},
    {"lc", LIMPET_LC, {3, 0, 1}, false, "313131313131313131313131"},
    {"wlc", LIMPET_WLC, {1, 1, 1}, false, "321321321321321321321321"},
    {"wlc", LIMPET_WLC, {3, 2, 1}, false, "321121321121321121321121"},
    {"wlc", LIMPET_WLC, {3, 0, 1}, false, "311131113111311131113111"},
    {"sed", LIMPET_SED, {1, 1, 1}, false, "321321321321321321321321"},
    {"sed", LIMPET_SED, {3, 2, 1}, false, "121321121321121321121321"},
    {"sed", LIMPET_SED, {3, 0, 1}, false, "113111311131113111311131"},
    {"nq", LIMPET_NQ, {1, 1, 1}, false, "321321321321321321321321"},
    {"nq", LIMPET_NQ, {3, 2, 1}, false, "321121121321121321121321"},
    {"nq", LIMPET_NQ, {3, 0, 1}, false, "311111311131113111311131"},
    {"fo", LIMPET_FO, {1, 1, 1}, false, "333333333333333333333333"},
    {"fo", LIMPET_FO, {3, 2, 1}, false, "111111111111111111111111"},
    {"fo", LIMPET_FO, {3, 0, 1}, false, "111111111111111111111111"},
    {"ovf", LIMPET_OVF, {1, 1, 1}, false, "332211------------------"},
    {"ovf", LIMPET_OVF, {3, 2, 1}, false, "111122233---------------"},
    {"ovf", LIMPET_OVF, {3, 0, 1}, false, "111133------------------"},
    {"wlc", LIMPET_WLC, {4, 3, 2}, false, "321123121321123121321123"},
    {"wrr", LIMPET_WRR, {1, 2, 3}, false, "321332321332321332321332"},
    {"wrr", LIMPET_WRR, {1, 2, 3}, true, "321332321332321332321332"},
    {"wrr", LIMPET_WRR, {1, 1, 1}, false, "321321321321321321321321"},
    {"wrr", LIMPET_WRR, {3, 2, 1}, false, "321121321121321121321121"},
    {"wrr", LIMPET_WRR, {3, 0, 1}, false, "311131113111311131113111"},
    {"wrr", LIMPET_WRR, {10, 20, 30}, false, "321332321332321332321332"},
    {"wrr", LIMPET_WRR, {5, 1, 1}, false, "321111132111113211111321"},
    {"wrr", LIMPET_WRR, {4, 3, 2}, false, "321121321321121321321121"},
    {"lblc", LIMPET_LBLC, {1, 2, 3}, false, "333322211111111111111111"},
    {"lblc", LIMPET_LBLC, {1, 2, 3}, true, "333333333333333333333333"},
    {"lblcr", LIMPET_LBLCR, {1, 2, 3}, false, "333322211323123323123323"},
    {"lblcr", LIMPET_LBLCR, {1, 2, 3}, true, "333333333333333333333333"},
};

class RecordedByTheKernel : public PacketTest, public testing::WithParamInterface<Recorded> {
 protected:
  std::string servers_of_connections(const std::vector<std::uint32_t>& servers, std::size_t count, bool close) {
    std::string chosen;
    for (std::size_t i = 0; i < count; i++) {
      const auto port = static_cast<std::uint16_t>(30000 + i);
      const std::uint32_t id = connect("10.1.0.1", port);
      const auto at = std::ranges::find(servers, id);
      chosen += at == servers.end() ? '-' : static_cast<char>('1' + (at - servers.begin()));
      if (id == 0) continue;
      send(port, kAck);
      if (close) send(port, kFin | kAck);
    }
    return chosen;
  }

 private:
  void send(std::uint16_t port, int flags) { run(Door::kTc, packet().from("10.1.0.1", port).to(kVip, 80).tcp(flags)); }
};

INSTANTIATE_TEST_SUITE_P(Sequences, RecordedByTheKernel, testing::ValuesIn(kRecorded), [](const auto& instance) {
  std::string name = instance.param.name;
  for (const std::uint32_t weight : instance.param.weights) name += "_" + std::to_string(weight);
  return name + (instance.param.closes ? "_closed" : "_open");
});

TEST_P(RecordedByTheKernel, connections_go_to_the_same_servers) {
  const Recorded& is = GetParam();
  Service& service = tables.add(tcp_service(kVip, 80).scheduled(is.scheduler));
  if (is.scheduler == LIMPET_WRR) service.start_value = 1;
  std::vector<std::uint32_t> servers;
  for (const std::uint32_t weight : is.weights)
    servers.push_back(tables.add_server(service, route(kServerA).weight(weight)));
  EXPECT_EQ(servers_of_connections(servers, is.servers.size(), is.closes), is.servers);
}

}  // namespace
}  // namespace limpet::packet
