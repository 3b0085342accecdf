// SPDX-License-Identifier: Apache-2.0
// ICMP errors about forwarded connections: to whom they are carried, what is rewritten in them, and that the connection
// itself takes no notice.
#include "icmp_errors.h"

#include <random>

namespace limpet::packet {
namespace {

using FromTheClientsSide = IcmpErrors;

TEST_F(FromTheClientsSide, an_error_about_a_routed_connection_reaches_its_server_whole) {
  for (const Kind& kind : kKinds) {
    Packet error = error_in(quote(answer(443), 100), kind);
    const Outcome out = run(Door::kTc, error);
    ASSERT_EQ(out.verdict, Verdict::kSent) << "type " << +kind.type << " code " << +kind.code;
    EXPECT_EQ(out.bytes, sent_to(error.ttl(49).bytes(), kServerBMac)) << "type " << +kind.type;
  }
}

TEST_F(FromTheClientsSide, an_error_about_a_masqueraded_connection_names_the_server_in_both_headers) {
  for (const Kind& kind : kKinds) {
    for (const std::size_t payload : {8U, 9U, 16U, 20U, 99U, 100U, 528U, 1420U}) {
      const Bytes quoted = quote(answer(), payload);
      Packet rewritten = answer();
      rewritten.from(kServerA, 8080);

      const Outcome out = run(Door::kTc, error_in(quoted, kind));

      ASSERT_EQ(out.verdict, Verdict::kSent) << "type " << +kind.type << ", " << payload << " bytes";
      EXPECT_TRUE(out.view().ip_checksum_is_right());
      EXPECT_TRUE(out.view().l4_checksum_is_right());
      EXPECT_EQ(internet_checksum(&out.bytes.at(kQuote), 20), 0) << "of the quoted header";
      const Packet expected = error_in(translated(rewritten, quoted), kind).to(kServerA, 0).ttl(49);
      EXPECT_EQ(out.bytes, sent_to(expected.bytes(), kServerAMac)) << "type " << +kind.type << ", " << payload;
    }
  }
}

TEST_F(FromTheClientsSide, the_client_itself_may_send_it) {
  const Packet answer = packet().from(kVip, 53).to(kClient, 5000).udp().payload(300);
  Packet rewritten = answer;
  rewritten.from(kServerC, 5353);
  Packet error = packet().from(kClient, 0).to(kVip, 0).icmp(3, 3, quote(answer, 300)).ttl(50);

  const Outcome out = run(Door::kTc, error);

  ASSERT_EQ(out.verdict, Verdict::kSent);
  error.to(kServerC, 0).icmp(3, 3, translated(rewritten, quote(answer, 300))).ttl(49);
  EXPECT_EQ(out.bytes, sent_to(error.bytes(), kServerCMac));
}

// Its address is not the director's: the error would be routed on to whose it is (ip_vs_forward_icmp()).
TEST_F(FromTheClientsSide, an_error_for_an_address_that_a_mark_service_answers_for_reaches_its_server) {
  const std::string elsewhere = "203.0.113.5";
  const auto error_about = [&](std::uint16_t client_port) {
    const Packet answer = packet().from(elsewhere, 80).to(kClient, client_port).tcp(kAck).payload(500);
    return packet().from(kRouter, 0).to(elsewhere, 0).icmp(3, 4, quote(answer, 100), 1400).ttl(50);
  };
  const auto open = [&](std::uint16_t client_port, std::uint32_t mark) {
    run(Door::kMark, packet().from(kClient, client_port).to(elsewhere, 80).tcp(kSyn), mark);
  };
  tables.config().cache_bypass = 1;
  tables.store_config();
  tables.add_server(tables.add(mark_service(10)), route(kServerB));
  tables.add(mark_service(11));
  open(6000, 10);
  open(6001, 11);
  tables.add_address(ip(elsewhere));

  Packet error = error_about(6000);
  const Outcome out = run(Door::kTc, error);
  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.bytes, sent_to(error.ttl(49).bytes(), kServerBMac));
  EXPECT_EQ(run(Door::kTc, error_about(6001)).verdict, Verdict::kPass) << "past the servers: to whose address it is";
}

TEST_F(FromTheClientsSide, it_counts_as_a_packet_to_the_server_and_leaves_the_connection_as_it_was) {
  tables.let_pass(30);  // a packet of the connection itself would start its time anew
  const auto before = entries();
  const limpet_counters a = tables.counters(server_a);
  const limpet_counters b = tables.counters(server_b);

  ASSERT_EQ(run(Door::kTc, error_in(quote(answer(80), 100))).verdict, Verdict::kSent);
  ASSERT_EQ(run(Door::kTc, error_in(quote(answer(443), 8)).padding(4)).verdict, Verdict::kSent);

  EXPECT_EQ(entries(), before);
  EXPECT_EQ(tables.counters(server_a).in_packets, a.in_packets + 1);
  EXPECT_EQ(tables.counters(server_a).in_bytes, a.in_bytes + 20 + 8 + 20 + 100);
  EXPECT_EQ(tables.counters(server_a).out_packets, a.out_packets);
  EXPECT_EQ(tables.counters(server_a).connections, a.connections);
  EXPECT_EQ(tables.counters(server_b).in_packets, b.in_packets + 1);
  EXPECT_EQ(tables.counters(server_b).in_bytes, b.in_bytes + 20 + 8 + 20 + 8);
}

// As in IPVS, which looks at the connection only; but what is not configured is not counted (ip_vs_in_stats()).
TEST_F(FromTheClientsSide, a_removed_servers_connections_still_get_theirs_uncounted) {
  Service& http = tables.add(tcp_service(kOtherVip, 80));
  const std::uint32_t server = tables.add_server(http, masq(kServerA));
  run(Door::kTc, packet().from(kClient, 5000).to(kOtherVip, 80).tcp(kSyn));
  tables.remove_server(http, server);
  const auto before = counted(server);

  const Packet about = packet().from(kOtherVip, 80).to(kClient, 5000).tcp(kAck);
  EXPECT_EQ(run(Door::kTc, error_in(quote(about)).to(kOtherVip, 0)).verdict, Verdict::kSent);
  EXPECT_EQ(counted(server), before);
}

TEST_F(FromTheClientsSide, a_server_that_is_not_reachable_gets_nothing) {
  const Temporarily unreachable("route add unreachable 192.168.2.20/32", "route del unreachable 192.168.2.20/32");
  hops_stay_fresh = false;
  tables.forget_hops();
  EXPECT_EQ(run(Door::kTc, error_in(quote(answer()))).verdict, Verdict::kDrop);
}

TEST_F(FromTheClientsSide, a_service_on_the_director_itself_keeps_its_errors) {
  Service& here = tables.add(tcp_service(kOtherVip, 80));
  const std::uint32_t server = tables.add_server(here, masq(kDirector));
  run(Door::kTc, packet().from(kClient, 5000).to(kOtherVip, 80).tcp(kSyn));
  ASSERT_EQ(tables.counts(server).total, 1U);
  const Packet about = packet().from(kOtherVip, 80).to(kClient, 5000).tcp(kAck);
  expect_passes(error_in(quote(about)).to(kOtherVip, 0), "a local server's");
}

using FromTheServersSide = IcmpErrors;

TEST_F(FromTheServersSide, an_error_of_a_masqueraded_server_comes_from_the_virtual_service) {
  for (const Kind& kind : kKinds) {
    for (const std::size_t payload : {8U, 9U, 20U, 528U, 1020U}) {
      const Bytes quoted = quote(request(), payload);
      Packet rewritten = request();
      rewritten.to(kVip, 80);

      run(Door::kTc, error_out(quoted, kind));  // may be the one that probes the client's next hop
      const Outcome out = run(Door::kTc, error_out(quoted, kind));

      ASSERT_EQ(out.verdict, Verdict::kSent) << "type " << +kind.type << ", " << payload << " bytes";
      const Packet expected = error_out(translated(rewritten, quoted), kind).from(kVip, 0).ttl(49);
      EXPECT_EQ(out.bytes, sent_to(expected.bytes(), kGatewayMac)) << "type " << +kind.type << ", " << payload;
    }
  }
}

TEST_F(FromTheServersSide, so_does_that_of_a_router_on_the_way_to_it) {
  const Bytes quoted = quote(request(), 40);
  Packet rewritten = request();
  rewritten.to(kVip, 80);
  run(Door::kTc, error_out(quoted).from(kServerRouter, 0));
  const Outcome out = run(Door::kTc, error_out(quoted).from(kServerRouter, 0));
  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.bytes, sent_to(error_out(translated(rewritten, quoted)).from(kVip, 0).ttl(49).bytes(), kGatewayMac));
}

TEST_F(FromTheServersSide, it_counts_as_a_packet_to_the_client_and_leaves_the_connection_as_it_was) {
  tables.let_pass(30);
  const auto before = entries();
  const limpet_counters a = tables.counters(server_a);

  ASSERT_EQ(run(Door::kTc, error_out(quote(request(), 100))).verdict, Verdict::kSent);

  EXPECT_EQ(entries(), before);
  EXPECT_EQ(tables.counters(server_a).out_packets, a.out_packets + 1);
  EXPECT_EQ(tables.counters(server_a).out_bytes, a.out_bytes + 20 + 8 + 20 + 100);
  EXPECT_EQ(tables.counters(server_a).in_packets, a.in_packets);
  EXPECT_EQ(tables.counters(server_a).connections, a.connections);
}

TEST_F(FromTheServersSide, what_is_no_masqueraded_connections_passes) {
  expect_passes(error_out(quote(request().from(kClient, 5001))), "another client port");
  expect_passes(error_out(quote(request().from("10.0.0.2", 5000))).to("10.0.0.2", 0), "another client");
  expect_passes(error_out(quote(request().to(kServerA, 8081))), "another server port");
  expect_passes(error_out(quote(request().to(kServerB, 443))), "a server that is not masqueraded");
  expect_passes(error_out(quote(request().to(kVip, 443))).from(kServerB, 0), "a routed connection's");
  expect_passes(error_out(quote(request())).to("10.0.0.2", 0), "not to whom the quoted packet came from");
}

// The model of forward_test.cpp, for both directions.
TEST_F(IcmpErrors, thousands_of_random_errors_come_out_as_the_model_says) {
  std::mt19937 random(4);
  for (int i = 0; i < 2000; i++) {
    const bool is_udp = random() % 2 == 0;
    const bool inwards = random() % 2 == 0;
    const auto client = ip("10.0.0.0") + ((random() % 250 + 1) << 24);
    const auto port = static_cast<std::uint16_t>(1024 + random() % 60000);
    const std::uint16_t virtual_port = is_udp ? 53 : 80;
    const std::uint16_t server_port = is_udp ? 5353 : 8080;
    const std::string& server = is_udp ? kServerC : kServerA;
    const auto as = [is_udp](Packet p, int flags) { return is_udp ? p.udp() : p.tcp(flags); };
    run(Door::kTc, as(packet().from_address(client, port).to(kVip, virtual_port), kSyn));
    Packet seen = as(packet(), kAck).payload(random() % 1400, static_cast<std::uint8_t>(random()));
    seen.ttl(static_cast<std::uint8_t>(random()));
    Packet rewritten = seen;
    if (inwards) {
      seen.from(kVip, virtual_port).to_address(client, port);
      rewritten.from(server, server_port).to_address(client, port);
    } else {
      seen.from_address(client, port).to(server, server_port);
      rewritten.from_address(client, port).to(kVip, virtual_port);
    }
    const Bytes quoted = quote(seen, 8 + random() % 1400);
    const auto mtu = static_cast<std::uint16_t>(random());
    Packet error = packet().icmp(3, 4, quoted, mtu).ttl(static_cast<std::uint8_t>(2 + random() % 254));
    inwards ? error.from_address(random(), 0).to(kVip, 0) : error.from(server, 0).to_address(client, 0);
    Packet expected = error;
    inwards ? expected.to(server, 0) : expected.from(kVip, 0);
    expected.icmp(3, 4, translated(rewritten, quoted), mtu);

    run(Door::kTc, error);  // may be the one that probes the next hop
    const Outcome out = run(Door::kTc, error);

    Bytes after = expected.bytes();
    ASSERT_EQ(out.verdict, Verdict::kSent) << "error " << i;
    expected.ttl(static_cast<std::uint8_t>(after.at(kEthernet + 8) - 1));
    const Mac& mac = !inwards ? kGatewayMac : is_udp ? kServerCMac : kServerAMac;
    ASSERT_EQ(out.bytes, sent_to(expected.bytes(), mac)) << "error " << i;
  }
}

}  // namespace
}  // namespace limpet::packet
