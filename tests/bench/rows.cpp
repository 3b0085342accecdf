// SPDX-License-Identifier: Apache-2.0
// The rows: what an operator's packets are, and the ratios that are aimed at.
#include "row.h"
#include "world.h"

namespace limpet::bench {
namespace {

using packet::Door;
using packet::kAck;
using packet::kOtherVip;
using packet::kPsh;
using packet::kServerA;
using packet::kServerB;
using packet::kServerC;
using packet::kSyn;
using packet::kVip;
using packet::masq;
using packet::Packet;
using packet::route;
using packet::ServerSpec;
using packet::ServiceSpec;
using packet::Tables;
using packet::tcp_service;
using packet::udp_service;
using packet::Verdict;

constexpr std::uint32_t kThousand = 1024;
constexpr std::uint32_t kMillion = 1048576;

Packet to_vip() { return packet::packet().to(kVip, 80); }
Packet syn() { return to_vip().tcp(kSyn); }
Packet ack() { return to_vip().tcp(kAck | kPsh); }
Packet datagram() { return to_vip().udp(); }

std::function<void(Tables&)> serving(const ServiceSpec& service, const std::vector<ServerSpec>& servers) {
  return [=](Tables& tables) { tables.add_servers(tables.add(service), servers); };
}

std::vector<ServerSpec> routed() { return {route(kServerA), route(kServerB), route(kServerC)}; }

// As many as asked for, at three neighbours; equal, and heavy enough for ovf to send any number of connections there.
std::vector<ServerSpec> many(std::size_t count) {
  const std::string* const addresses[] = {&kServerA, &kServerB, &kServerC};
  std::vector<ServerSpec> servers;
  for (std::size_t i = 0; i < count; i++)
    servers.push_back(route(*addresses[i % 3], static_cast<std::uint16_t>(80 + i / 3)).weight(kMillion));
  return servers;
}

// Clients that differ by address and port.
Clients clients(std::uint32_t count) { return {count, count > 1 ? 10U : 0U, "10.0.0.1", true}; }

void add_bystanders(std::vector<RowSpec>& rows, Door door) {
  const Packet ssh = packet::packet().to(packet::kDirector, 22).tcp(kAck);
  RowSpec row{"bystander, no services", door, clients(1), {}, {}, ssh};
  row.verdict = Verdict::kPass;
  row.target = 0.7;
  rows.push_back(row);
  row.name = "bystander, services on other addresses";
  row.serve = serving(tcp_service(kVip, 80), routed());
  rows.push_back(row);
}

void add_established(std::vector<RowSpec>& rows, Door door) {
  const auto http = serving(tcp_service(kVip, 80), routed());
  rows.push_back({"established TCP, 1 connection", door, clients(1), http, {syn(), ack()}, ack()});
  rows.back().target = 1.6;
  rows.push_back({"established TCP, 1 k", door, clients(kThousand), http, {syn(), ack()}, ack()});
  rows.push_back({"established TCP, 64 k", door, clients(64 * kThousand), http, {syn(), ack()}, ack()});
  rows.push_back({"established TCP, 1 M", door, clients(kMillion), http, {syn(), ack()}, ack()});
  rows.back().target = 1.25;
  const auto dns = serving(udp_service(kVip, 80), routed());
  rows.push_back({"established UDP, 1 connection", door, clients(1), dns, {datagram()}, datagram()});
  rows.back().target = 1.6;
}

void add_masqueraded(std::vector<RowSpec>& rows, Door door) {
  const auto http = serving(tcp_service(kVip, 80), {masq(kServerA, 8080)});
  rows.push_back({"masqueraded, client to server", door, clients(1), http, {syn(), ack()}, ack()});
  rows.back().target = 2.0;
  // The way back leads by the gateway.
  const Packet reply = packet::packet().from(kServerA, 8080).tcp(kAck | kPsh);
  rows.push_back({"masqueraded, server to client", door, clients(1), http, {syn(), ack()}, reply, true});
  rows.back().target = 2.0;
}

RowSpec opening(std::string name, Door door, const ServiceSpec& service, const std::vector<ServerSpec>& servers) {
  RowSpec row{std::move(name), door, {kMillion, 10, "10.0.0.1", true}, serving(service, servers), {}, syn()};
  row.opens = true;
  row.floor = Floor::kInsert;
  return row;
}

void add_new(std::vector<RowSpec>& rows, Door door) {
  const ServiceSpec http = tcp_service(kVip, 80);
  rows.push_back(opening("new TCP connection", door, http, routed()));
  rows.back().target = 1.5;
  rows.push_back(opening("new TCP connection, masqueraded", door, http, {masq(kServerA), masq(kServerB)}));
  // One template for all of 10.0.0.0/8: made by the first packet of a run.
  rows.push_back(
      opening("new connection by its template", door, ServiceSpec(http).persistent(300).masked("255.0.0.0"), routed()));
  rows.back().target = 1.8;
  rows.push_back(opening("new connection that makes a template", door, ServiceSpec(http).persistent(300), routed()));
  rows.back().clients.port_bits = 0;
  rows.back().target = 2.4;
}

void add_schedulers(std::vector<RowSpec>& rows, Door door) {
  const std::pair<const char*, limpet_scheduler> schedulers[] = {
      {"rr", LIMPET_RR},     {"wrr", LIMPET_WRR},       {"lc", LIMPET_LC},    {"wlc", LIMPET_WLC},
      {"lblc", LIMPET_LBLC}, {"lblcr", LIMPET_LBLCR},   {"sed", LIMPET_SED},  {"nq", LIMPET_NQ},
      {"fo", LIMPET_FO},     {"ovf", LIMPET_OVF},       {"dh", LIMPET_DH},    {"sh", LIMPET_SH},
      {"mh", LIMPET_MH},     {"maglev", LIMPET_MAGLEV}, {"twos", LIMPET_TWOS}};
  for (const auto& [name, scheduler] : schedulers) {
    for (const std::size_t servers : {8U, 100U, 1000U}) {
      const std::string text = std::string("new connection, ") + name + ", " + std::to_string(servers) + " servers";
      rows.push_back(opening(text, door, tcp_service(kVip, 80).scheduled(scheduler), many(servers)));
    }
  }
  // What the equal ones do not show: wrr steps over the light at each level of the heavy, and a virtual address whose
  // server is crowded has lblc look for an idle one in vain, and then for the least loaded.
  std::vector<ServerSpec> mixed = many(1000);
  for (std::size_t i = 0; i < mixed.size(); i++) mixed[i].weight(i % 100 + 1);
  rows.push_back(opening("new connection, wrr, 1000 servers of weights 1 to 100", door,
                         tcp_service(kVip, 80).scheduled(LIMPET_WRR), mixed));
  std::vector<ServerSpec> light = many(1000);
  for (ServerSpec& server : light) server.weight(1);
  rows.push_back(opening("new connection, lblc, 1000 servers, all crowded", door,
                         tcp_service(kVip, 80).scheduled(LIMPET_LBLC), light));
}

}  // namespace

std::vector<RowSpec> all_rows() {
  std::vector<RowSpec> rows;
  for (const Door door : {Door::kXdp, Door::kTc}) {
    add_bystanders(rows, door);
    add_established(rows, door);
    add_masqueraded(rows, door);
    add_new(rows, door);
  }
  add_schedulers(rows, Door::kXdp);
  return rows;
}

}  // namespace limpet::bench
