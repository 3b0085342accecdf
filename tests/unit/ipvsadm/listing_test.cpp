// SPDX-License-Identifier: Apache-2.0
// Listings and saved commands against what a real ipvsadm printed for the same table.
#include "ipvsadm/listing.h"

#include <gtest/gtest.h>

#include "ipvsadm/save.h"
#include "ipvsadm/text_columns.h"
#include "unit/ipvsadm/fakes.h"

namespace limpet::ipvsadm {
namespace {

// A table with one of everything.
class Listing : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto* line :
         {"-A -t 192.168.2.11:80 -s wrr -p 60 -M 255.255.255.0", "-a -t 192.168.2.11:80 -r 192.168.2.20 -g -w 100",
          "-a -t 192.168.2.11:80 -r 192.168.2.30:8080 -m -w 0",
          "-a -t 192.168.2.11:80 -r 192.168.2.40 -i -x 100000000 -y 5",
          "-A -u 192.168.2.11:53 -s sh -b sh-port,sh-fallback -o", "-A -f 7 -s mh -b mh-port -p 30",
          "-A -t [fd00:2::11]:443 -s wlc -p 600 -M 64", "-a -t [fd00:2::11]:443 -r [fd00:2::20]:443 -m",
          "-A --sctp-service 192.168.2.11:99 -s rr", "-A -u 192.168.2.11:5060 -s rr -p 60 --pe sip"}) {
      ASSERT_EQ(run_line(backend, line).exit_code, 0) << line;
    }
  }
  std::string out(const std::string& line) { return run_line(backend, line).out; }

  FakeBackend backend;
};

TEST_F(Listing, shows_numbers_sorted_by_family_protocol_address_and_port) {
  EXPECT_EQ(out("-Ln"),
            "IP Virtual Server version 1.2.1 (size=4096)\n"
            "Prot LocalAddress:Port Scheduler Flags\n"
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
            "TCP  192.168.2.11:80 wrr persistent 60 mask 255.255.255.0\n"
            "  -> 192.168.2.20:80              Route   100    0          0         \n"
            "  -> 192.168.2.30:8080            Masq    0      0          0         \n"
            "  -> 192.168.2.40:80              Tunnel  1      0          0         \n"
            "UDP  192.168.2.11:53 sh (sh-fallback,sh-port) ops\n"
            "UDP  192.168.2.11:5060 rr persistent 60 pe sip\n"
            "SCTP 192.168.2.11:99 rr\n"
            "TCP  [fd00:2::11]:443 wlc persistent 600 mask 64\n"
            "  -> [fd00:2::20]:443             Masq    1      0          0         \n"
            "FWM  7 mh (mh-port) persistent 30\n");
}

TEST_F(Listing, shows_names_where_there_are_some) {
  EXPECT_EQ(out("-L"),
            "IP Virtual Server version 1.2.1 (size=4096)\n"
            "Prot LocalAddress:Port Scheduler Flags\n"
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
            "TCP  192.168.2.11:http wrr persistent 60 mask 255.255.255.0\n"
            "  -> 192.168.2.20:http            Route   100    0          0         \n"
            "  -> 192.168.2.30:http-alt        Masq    0      0          0         \n"
            "  -> 192.168.2.40:http            Tunnel  1      0          0         \n"
            "UDP  192.168.2.11:domain sh (sh-fallback,sh-port) ops\n"
            "UDP  192.168.2.11:sip rr persistent 60 pe sip\n"
            "SCTP 192.168.2.11:99 rr\n"
            "TCP  [fd00:2::11]:https wlc persistent 600 mask 64\n"
            "  -> [fd00:2::20]:https           Masq    1      0          0         \n"
            "FWM  7 mh (mh-port) persistent 30\n");
}

TEST_F(Listing, shows_the_newest_first_when_it_is_not_sorted) {
  EXPECT_EQ(out("-Ln --nosort -t 192.168.2.11:80"),
            "Prot LocalAddress:Port Scheduler Flags\n"
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
            "TCP  192.168.2.11:80 wrr persistent 60 mask 255.255.255.0\n"
            "  -> 192.168.2.40:80              Tunnel  1      0          0         \n"
            "  -> 192.168.2.30:8080            Masq    0      0          0         \n"
            "  -> 192.168.2.20:80              Route   100    0          0         \n");
  EXPECT_NE(out("-Ln --nosort").find("Conn\nUDP  192.168.2.11:5060 rr"), std::string::npos);
}

TEST_F(Listing, shows_thresholds) {
  EXPECT_EQ(out("-Ln --thresholds -t 192.168.2.11:80"),
            "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n"
            "  -> RemoteAddress:Port\n"
            "TCP  192.168.2.11:80 wrr persistent 60 mask 255.255.255.0\n"
            "  -> 192.168.2.20:80              0          0          0          0         \n"
            "  -> 192.168.2.30:8080            0          0          0          0         \n"
            "  -> 192.168.2.40:80              100000000  5          0          0         \n");
}

TEST_F(Listing, shows_persistent_connections) {
  EXPECT_EQ(out("-Ln --persistent-conn -t [fd00:2::11]:443"),
            "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n"
            "  -> RemoteAddress:Port\n"
            "TCP  [fd00:2::11]:443 wlc persistent 600 mask 64\n"
            "  -> [fd00:2::20]:443             1         0           0          0         \n");
}

TEST_F(Listing, shows_tunnels) {
  EXPECT_EQ(out("-Ln --tun-info -t 192.168.2.11:80"),
            "Prot LocalAddress:Port Scheduler Flags\n"
            "  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n"
            "TCP  192.168.2.11:80 wrr persistent 60 mask 255.255.255.0\n"
            "  -> 192.168.2.20:80              Route   n/a           100    0          0         \n"
            "  -> 192.168.2.30:8080            Masq    n/a           0      0          0         \n"
            "  -> 192.168.2.40:80              Tunnel  ipip          1      0          0         \n");
}

TEST_F(Listing, is_saved_as_commands_that_rebuild_it) {
  const std::string saved =
      "-A -t 192.168.2.11:80 -s wrr -p 60 -M 255.255.255.0\n"
      "-a -t 192.168.2.11:80 -r 192.168.2.20:80 -g -w 100\n"
      "-a -t 192.168.2.11:80 -r 192.168.2.30:8080 -m -w 0\n"
      "-a -t 192.168.2.11:80 -r 192.168.2.40:80 -i -w 1 --tun-type ipip\n"
      "-A -u 192.168.2.11:53 -s sh -o -b sh-fallback,sh-port\n"
      "-A -u 192.168.2.11:5060 -s rr -p 60 --pe sip\n"
      "-A --sctp-service 192.168.2.11:99 -s rr\n"
      "-A -t [fd00:2::11]:443 -s wlc -p 600 -M 64\n"
      "-a -t [fd00:2::11]:443 -r [fd00:2::20]:443 -m -w 1\n"
      "-A -f 7 -s mh -p 30 -b mh-port\n";
  EXPECT_EQ(out("-Sn"), saved);
  EXPECT_NE(out("-S").find("-a -t 192.168.2.11:http -r 192.168.2.30:http-alt -m -w 0\n"), std::string::npos);

  FakeBackend other;
  EXPECT_EQ(run_line(other, "-R", saved).exit_code, 0);
  EXPECT_EQ(run_line(other, "-Sn").out, saved);
}

ServiceView busy_service() {
  ServiceView view;
  view.service.key = *ServiceKey::parse("tcp/192.0.2.10:443");
  view.counters = {12340000, 9876000000, 8765000000, 1234000000000, 98765000000000};
  view.rates = {120000, 3450000, 3000000, 678900000, 12345000000};
  auto& server = view.destinations.emplace_back();
  server.destination.key = {*Address::parse("198.51.100.13"), Port{443}};
  server.destination.weight = kMaxWeight;
  server.active = 100000;
  server.inactive = 2000000;
  server.persistent = 7;
  server.counters = {1234, 987654, 876543, 123456000, 9876000000};
  server.rates = {123456789, 1, 2, 123456789, 4};
  return view;
}

TEST(Counters, are_abbreviated_from_a_hundred_million_on) {
  ListFormat format;
  format.numeric = true;
  format.stats = true;
  EXPECT_EQ(service_text(busy_service(), format, FakeNames(), kIpvsadm),
            "TCP  192.0.2.10:443               12340000    9876M    8765M    1234G   98765G\n"
            "  -> 198.51.100.13:443                1234   987654   876543  123456K    9876M\n");
  EXPECT_EQ(counter(99999999, false), " 99999999");
  EXPECT_EQ(counter(100000000, false), "  100000K");
  EXPECT_EQ(counter(1000000000, false), "    1000M");
  EXPECT_EQ(counter(18446744073709551615u, false), "18446744T");
}

TEST(Counters, are_written_out_when_exact_and_push_the_rest_of_the_line) {
  EXPECT_EQ(counter(1, true), "        1");
  EXPECT_EQ(counter(123456789, true), " 123456789");
  EXPECT_EQ(counter(18446744073709551615u, true), " 18446744073709551615");
}

TEST(Rates, of_servers_abbreviate_bytes_only) {
  ListFormat format;
  format.numeric = true;
  format.rate = true;
  EXPECT_EQ(service_text(busy_service(), format, FakeNames(), kIpvsadm),
            "TCP  192.0.2.10:443                 120000  3450000  3000000  678900K   12345M\n"
            "  -> 198.51.100.13:443            123456789        1        2  123456K        4\n");
}

TEST(Connections, and_templates_are_listed_as_they_come) {
  FakeBackend backend;
  const auto connection = [](Protocol protocol, const char* state, std::uint32_t expires, const char* client,
                             const char* service, const char* server) {
    const auto c = *endpoint_from_string(client);
    const auto v = *endpoint_from_string(service);
    const auto d = *endpoint_from_string(server);
    return ConnectionView{c.address.family(), protocol, false,     state,  expires, c.address, c.port,
                          v.address,          v.port,   d.address, d.port, "",      ""};
  };
  backend.connection_table = {
      connection(Protocol::tcp, "ESTABLISHED", 893, "203.0.113.5:50000", "192.0.2.1:443", "198.51.100.13:443"),
      connection(Protocol::tcp, "ASSURED", 287, "203.0.113.0:0", "192.0.2.1:443", "198.51.100.13:443"),
      connection(Protocol::ip, "NONE", 7200, "203.0.113.5:0", "0.0.0.1:0", "198.51.100.17:0")};
  EXPECT_EQ(run_line(backend, "-Lnc").out,
            "IPVS connection entries\n"
            "pro expire state       source             virtual            destination\n"
            "TCP 14:53  ESTABLISHED 203.0.113.5:50000  192.0.2.1:443      198.51.100.13:443\n"
            "TCP 04:47  ASSURED     203.0.113.0:0      192.0.2.1:443      198.51.100.13:443\n"
            "IP  120:00 NONE        203.0.113.5:0      0.0.0.1:0          198.51.100.17:0\n");
  EXPECT_NE(run_line(backend, "-Lc")
                .out.find("\nTCP 14:53  ESTABLISHED 203.0.113.5:50000  www.example.net:https 198.51.100.13:https\n"),
            std::string::npos);
}

// As ipvsadm 1.31 reformats /proc/net/ip_vs_conn, tried with such a file.
TEST(Connections, show_the_persistence_engine_and_its_key_where_there_is_one) {
  FakeBackend backend;
  ConnectionView keyed;
  keyed.protocol = Protocol::udp;
  keyed.state = "UDP";
  keyed.expires = 293;
  keyed.client = *Address::parse("10.1.0.1");
  keyed.virtual_address = *Address::parse("192.168.2.11");
  keyed.virtual_port = Port{5060};
  keyed.destination = *Address::parse("192.168.2.20");
  keyed.destination_port = Port{5060};
  ConnectionView plain = keyed;
  plain.client_port = Port{2004};
  keyed.engine = "sip";
  keyed.engine_data = "a-call-id-longer-than-eighteen";
  backend.connection_table = {keyed, plain};
  EXPECT_EQ(run_line(backend, "-Lnc --persistent-conn").out,
            "IPVS connection entries\n"
            "pro expire state       source             virtual            destination        pe name          pe_data\n"
            "UDP 04:53  UDP         10.1.0.1:0         192.168.2.11:5060  192.168.2.20:5060 sip                "
            "a-call-id-longer-than-eighteen\n"
            "UDP 04:53  UDP         10.1.0.1:2004      192.168.2.11:5060  192.168.2.20:5060\n");
  EXPECT_EQ(run_line(backend, "-Lnc").out.find("sip"), std::string::npos);
}

TEST(Connections, of_ipv6_stand_in_brackets) {
  FakeBackend backend;
  ConnectionView connection;
  connection.family = Family::ipv6;
  connection.state = "ESTABLISHED";
  connection.expires = 7293;
  connection.client = *Address::parse("fd00::1");
  connection.client_port = Port{2004};
  connection.virtual_address = *Address::parse("fd00::2");
  connection.virtual_port = Port{5060};
  connection.destination = *Address::parse("fd00::3");
  connection.destination_port = Port{5060};
  backend.connection_table = {connection};
  EXPECT_NE(run_line(backend, "-Lnc")
                .out.find("TCP 121:33 ESTABLISHED [fd00::1]:2004     [fd00::2]:5060     [fd00::3]:5060\n"),
            std::string::npos);
}

TEST(Names, are_cut_to_their_columns_for_ipv4) {
  class LongNames final : public Names {
   public:
    std::optional<Address> host_address(const std::string&) const override { return std::nullopt; }
    std::optional<Port> service_port(const std::string&, Protocol) const override { return std::nullopt; }
    std::optional<std::string> host_name(const Address&) const override { return std::string(40, 'a'); }
    std::optional<std::string> service_name(Port, Protocol) const override { return std::nullopt; }
  };
  EXPECT_EQ(service_text(busy_service(), {}, LongNames(), kIpvsadm),
            "TCP  aaaaaaaaaaaaaaaaaaaaaaaaaaaa wlc\n"
            "  -> aaaaaaaaaaaaaaaaaaaaaaaaaaaa Route   2147483647 100000     2000000   \n");
}

}  // namespace
}  // namespace limpet::ipvsadm
