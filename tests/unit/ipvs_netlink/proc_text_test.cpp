// SPDX-License-Identifier: Apache-2.0
// The files of /proc/net, byte for byte as a Linux 6.1 had them.
#include <arpa/inet.h>

#include <gtest/gtest.h>

#include "ipvs_netlink/proc_text.h"
#include "unit/api/fake_director.h"

namespace limpet::ipvs_netlink {
namespace {

using api::FakeDirector;

ServiceView service(const ServiceKey& key, const std::string& scheduler) {
  ServiceView view;
  view.service.key = key;
  view.service.scheduler = scheduler;
  return view;
}
ServiceView service(const char* key, const std::string& scheduler) {
  return service(*ServiceKey::parse(key), scheduler);
}

void persist(ServiceView& view, std::uint32_t timeout, std::uint32_t mask) {
  view.service.persistent = true;
  view.service.timeout = timeout;
  view.service.netmask = mask;
}

void add(ServiceView& view, const char* address, std::uint16_t port, ForwardingMethod method, std::uint32_t weight) {
  DestinationView each;
  each.destination.key = {*Address::parse(address), Port{port}};
  each.destination.method = method;
  each.destination.weight = weight;
  view.destinations.push_back(each);
}

std::string all_of(Director& director, const char* name) {
  std::string text;
  const auto file = proc_text(director, name);
  while (const auto piece = file->next()) text += *piece;
  return text;
}

TEST(ProcText, services_are_listed_as_the_kernel_lists_them_marks_last) {
  FakeDirector director;
  auto mark = service("fwm/7", "mh");
  persist(mark, 30, 0xffffffff);
  auto sip = service("udp/192.168.2.11:5060", "rr");
  persist(sip, 60, 0xffffffff);
  auto six = service("tcp/[fd00:2::11]:443", "wlc");
  persist(six, 600, 64);
  add(six, "fd00:2::20", 443, ForwardingMethod::masq, 1);
  auto http = service("tcp/192.168.2.11:80", "wrr");
  persist(http, 60, htonl(0xffffff00));
  add(http, "192.168.2.40", 80, ForwardingMethod::tunnel, 1);
  add(http, "192.168.2.30", 8080, ForwardingMethod::masq, 0);
  add(http, "192.168.2.20", 80, ForwardingMethod::route, 100);
  auto dns = service("udp/192.168.2.11:53", "sh");
  dns.service.one_packet = true;
  director.listed = {mark, sip, service("sctp/192.168.2.11:99", "rr"), six, http, dns};
  EXPECT_EQ(all_of(director, "ip_vs"),
            "IP Virtual Server version 1.2.1 (size=4096)\n"
            "Prot LocalAddress:Port Scheduler Flags\n"
            "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
            "UDP  C0A8020B:13C4 rr  persistent 15000 FFFFFFFF\n"
            "SCTP  C0A8020B:0063 rr  \n"
            "TCP  [fd00:0002:0000:0000:0000:0000:0000:0011]:01BB wlc persistent 150000 40000000\n"
            "  -> [fd00:0002:0000:0000:0000:0000:0000:0020]:01BB      Masq    1      0          0         \n"
            "TCP  C0A8020B:0050 wrr  persistent 15000 FFFFFF00\n"
            "  -> C0A80228:0050      Tunnel  1      0          0         \n"
            "  -> C0A8021E:1F90      Masq    0      0          0         \n"
            "  -> C0A80214:0050      Route   100    0          0         \n"
            "UDP  C0A8020B:0035 sh ops  \n"
            "FWM  00000007 mh persistent 7500 FFFFFFFF\n");
}

TEST(ProcText, a_connection_is_a_row_of_hexadecimal_numbers) {
  ConnectionView view;
  view.state = "FIN_WAIT";
  view.expires = 102;
  view.client = *Address::parse("10.1.0.1");
  view.client_port = Port{2001};
  view.virtual_address = *Address::parse("192.168.2.11");
  view.virtual_port = Port{80};
  view.destination = *Address::parse("192.168.2.20");
  view.destination_port = Port{80};
  EXPECT_EQ(connection_row(view), "TCP 0A010001 07D1 C0A8020B 0050 C0A80214 0050 FIN_WAIT        102\n");
  EXPECT_EQ(synchronised_connection_row(view),
            "TCP 0A010001 07D1 C0A8020B 0050 C0A80214 0050 FIN_WAIT    LOCAL      102\n");
  view.protocol = Protocol::ip;
  view.state = "NONE";
  view.client_port = view.virtual_port = view.destination_port = Port{0};
  view.virtual_address = *Address::parse("0.0.0.10");
  EXPECT_EQ(connection_row(view), "IP  0A010001 0000 0000000A 0000 C0A80214 0000 NONE            102\n");
  view.engine = "sip";
  view.engine_data = "call-1";
  EXPECT_EQ(connection_row(view), "IP  0A010001 0000 0000000A 0000 C0A80214 0000 NONE            102 sip call-1\n");
}

TEST(ProcText, connections_are_read_as_they_are_taken) {
  FakeDirector director;
  director.connection_count = 20'000;
  const auto file = proc_text(director, "ip_vs_conn");
  std::size_t lines = 0;
  while (const auto piece = file->next()) {
    EXPECT_LE(piece->size(), 66u * 1024) << "a piece is all that is kept";
    for (const char c : *piece) lines += c == '\n' ? 1 : 0;
    EXPECT_LE(director.connections_read, lines + 2048) << "no more is fetched than is needed";
  }
  EXPECT_EQ(lines, 20'001u);
}

TEST(ProcText, a_listing_that_breaks_off_ends) {
  FakeDirector director;
  director.connection_count = 10'000;
  director.fail_at = 4096;
  const auto text = all_of(director, "ip_vs_conn");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4097);
}

TEST(ProcText, totals_are_the_sum_of_the_services) {
  FakeDirector director;
  director.listed = {service("tcp/192.0.2.1:80", "rr"), service("fwm/1", "rr")};
  director.listed[0].counters = {1, 30000, 0, 42800000, 0};
  director.listed[1].counters = {0, 6, 0, 40378, 0};
  director.listed[1].rates = {0, 1339, 0, 1911543, 0};
  EXPECT_EQ(all_of(director, "ip_vs_stats"),
            "   Total Incoming Outgoing         Incoming         Outgoing\n"
            "   Conns  Packets  Packets            Bytes            Bytes\n"
            "       1     7536        0          28DB13A                0\n"
            "\n"
            " Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n"
            "       0      53B        0           1D2AF7                0\n");
}

TEST(ProcText, there_are_no_application_helpers) {
  FakeDirector director;
  EXPECT_EQ(all_of(director, "ip_vs_app"), "prot    port    usecnt name\n");
  EXPECT_FALSE(is_proc_file("ip_vs_stats_percpu"));
}

}  // namespace
}  // namespace limpet::ipvs_netlink
