// SPDX-License-Identifier: Apache-2.0
// What becomes of a packet on its way: direct routing, masquerading and its replies, TTL, MTU.
#include <random>

#include "fixture.h"

namespace limpet::packet {
namespace {

using Forwarding = AtDoor;
INSTANTIATE_TEST_SUITE_P(At, Forwarding, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

// What may differ between two frames: ranges of offsets.
Bytes with(Bytes frame, const Bytes& other, std::initializer_list<std::pair<std::size_t, std::size_t>> ranges) {
  for (const auto& [from, to] : ranges) {
    std::copy(other.begin() + static_cast<std::ptrdiff_t>(from), other.begin() + static_cast<std::ptrdiff_t>(to),
              frame.begin() + static_cast<std::ptrdiff_t>(from));
  }
  return frame;
}

TEST_P(Forwarding, a_routed_packet_gets_new_MACs_and_a_lower_TTL_and_stays_the_same_otherwise) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, route(kServerA));
  const Bytes in = packet().tcp(kSyn).ttl(17).payload(33).bytes();

  const Outcome out = run(door, in);

  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.view().destination_mac(), kServerAMac);
  EXPECT_EQ(out.view().source_mac(), kDirectorMac);
  EXPECT_EQ(out.view().ttl(), forwarded_ttl(17));
  EXPECT_TRUE(out.view().ip_checksum_is_right());
  EXPECT_EQ(with(out.bytes, in, {{0, 12}, {22, 23}, {24, 26}}), in);
}

TEST_P(Forwarding, a_masqueraded_packet_gets_the_servers_address_and_port) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, masq(kServerB, 8080));
  for (const std::size_t size : {0U, 1U, 2U, 999U, 1460U}) {
    const Bytes in = packet().from("10.0.0.1", static_cast<std::uint16_t>(5000 + size)).tcp(kSyn).payload(size).bytes();

    const Outcome out = run(door, in);

    ASSERT_EQ(out.verdict, Verdict::kSent);
    EXPECT_EQ(out.view().destination(), kServerB);
    EXPECT_EQ(out.view().destination_port(), 8080);
    EXPECT_EQ(out.view().destination_mac(), kServerBMac);
    EXPECT_TRUE(out.view().ip_checksum_is_right());
    EXPECT_TRUE(out.view().l4_checksum_is_right());
    EXPECT_EQ(with(out.bytes, in, {{0, 12}, {22, 23}, {24, 26}, {30, 34}, {36, 38}, {50, 52}}), in);
  }
}

TEST_P(Forwarding, a_masqueraded_datagram_keeps_a_right_checksum_and_one_without_stays_without) {
  Service& dns = tables.add(udp_service(kVip, 53));
  tables.add_server(dns, masq(kServerA, 5353));

  const Outcome with_checksum = run(door, packet().from("10.0.0.1", 1000).to(kVip, 53).udp().payload(31));
  const Outcome without =
      run(door, packet().from("10.0.0.2", 1000).to(kVip, 53).udp().payload(31).without_udp_checksum());

  ASSERT_EQ(with_checksum.verdict, Verdict::kSent);
  EXPECT_EQ(with_checksum.view().destination_port(), 5353);
  EXPECT_NE(with_checksum.view().udp_checksum(), 0);
  EXPECT_TRUE(with_checksum.view().l4_checksum_is_right());
  ASSERT_EQ(without.verdict, Verdict::kSent);
  EXPECT_EQ(without.view().udp_checksum(), 0);
  EXPECT_TRUE(without.view().ip_checksum_is_right());
}

// A checksum that comes out as 0 is written as 0xffff: 0 would say that there is none (RFC 768).
TEST_P(Forwarding, a_datagrams_checksum_never_becomes_0) {
  Service& dns = tables.add(udp_service(kVip, 53));
  tables.add_server(dns, masq(kServerA, 53));
  std::uint32_t word = 0;
  const auto datagram = [&](const std::string& to) {
    return packet().to(to, 53).udp().data({static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)});
  };
  while (View(datagram(kServerA).bytes()).udp_checksum() != 0xffff) ASSERT_LT(++word, 0x10000U);

  const Outcome out = run(door, datagram(kVip));

  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.view().udp_checksum(), 0xffff);
  EXPECT_TRUE(out.view().l4_checksum_is_right());
}

TEST_P(Forwarding, padding_behind_the_packet_is_kept_and_does_not_count) {
  Service& http = tables.add(tcp_service(kVip, 80));
  const std::uint32_t server = tables.add_server(http, masq(kServerA));
  const Bytes in = packet().tcp(kSyn).padding(6).bytes();

  const Outcome out = run(door, in);

  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.bytes.size(), in.size());
  EXPECT_TRUE(out.view().l4_checksum_is_right());
  EXPECT_EQ(tables.counters(server).in_bytes, 40U);
}

// An independent model: what a packet must look like behind the director, rebuilt from scratch.
TEST_P(Forwarding, thousands_of_random_packets_come_out_as_the_model_says) {
  tables.add_server(tables.add(tcp_service(kVip, 80)), masq(kServerA, 8080));
  tables.add_server(tables.add(tcp_service(kVip, 443)), route(kServerB, 443));
  tables.add_server(tables.add(udp_service(kVip, 53)), masq(kServerC, 53));
  std::mt19937 random(20);
  for (int i = 0; i < 3000; i++) {
    const std::uint32_t kind = random() % 3;
    const auto client = ip("10.0.0.0") + ((random() % 250 + 1) << 24);
    const auto port = static_cast<std::uint16_t>(1024 + random() % 60000);
    const std::size_t size = random() % 1400;
    const auto seed = static_cast<std::uint8_t>(random());
    const auto ttl = static_cast<std::uint8_t>(2 + random() % 254);
    const auto make = [&](const std::string& to, std::uint16_t to_port, std::uint8_t hops) {
      Packet p = packet().from_address(client, port).to(to, to_port).payload(size, seed).ttl(hops);
      kind == 2 ? p.udp() : p.tcp(kSyn | kPsh);
      return p.bytes();
    };
    const std::uint16_t ports[] = {80, 443, 53};
    const Mac macs[] = {kServerAMac, kServerBMac, kServerCMac};
    Bytes expected = kind == 0   ? make(kServerA, 8080, forwarded_ttl(ttl))
                     : kind == 1 ? make(kVip, 443, forwarded_ttl(ttl))
                                 : make(kServerC, 53, forwarded_ttl(ttl));
    std::copy(macs[kind].begin(), macs[kind].end(), expected.begin());
    std::copy(kDirectorMac.begin(), kDirectorMac.end(), expected.begin() + 6);

    const Outcome out = run(door, make(kVip, ports[kind], ttl));

    ASSERT_EQ(out.verdict, Verdict::kSent) << "packet " << i;
    ASSERT_EQ(out.bytes, expected) << "packet " << i;
  }
}

// Replies enter at the interfaces only: the kernel does not route them to limpet0.
using Replies = AtDoor;
INSTANTIATE_TEST_SUITE_P(At, Replies, testing::Values(Door::kTc, Door::kXdp), door_name);

TEST_P(Replies, a_masqueraded_servers_reply_comes_from_the_virtual_service) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, masq(kServerA, 8080));
  run(door, packet().from("10.0.0.1", 5000).tcp(kSyn));
  const Packet reply = packet().from(kServerA, 8080).to("10.0.0.1", 5000).tcp(kSyn | kAck).payload(77);

  run(door, reply);  // may be the one that probes the client's next hop
  const Outcome out = run(door, reply);

  ASSERT_EQ(out.verdict, Verdict::kSent);
  EXPECT_EQ(out.view().source(), kVip);
  EXPECT_EQ(out.view().source_port(), 80);
  EXPECT_EQ(out.view().destination(), "10.0.0.1");
  EXPECT_EQ(out.view().destination_mac(), kGatewayMac);
  EXPECT_EQ(out.view().source_mac(), kDirectorMac);
  EXPECT_EQ(out.view().ttl(), 63);
  EXPECT_TRUE(out.view().ip_checksum_is_right());
  EXPECT_TRUE(out.view().l4_checksum_is_right());
}

TEST_P(Replies, a_reply_datagram_is_rewritten_and_one_without_checksum_stays_without) {
  Service& dns = tables.add(udp_service(kVip, 53));
  tables.add_server(dns, masq(kServerA, 5353));
  run(door, packet().from("10.0.0.1", 5000).to(kVip, 53).udp());

  const Outcome plain = run(door, packet().from(kServerA, 5353).to("10.0.0.1", 5000).udp().payload(200));
  const Outcome bare =
      run(door, packet().from(kServerA, 5353).to("10.0.0.1", 5000).udp().payload(200).without_udp_checksum());

  ASSERT_EQ(plain.verdict, Verdict::kSent);
  EXPECT_EQ(plain.view().source_port(), 53);
  EXPECT_NE(plain.view().udp_checksum(), 0);
  EXPECT_TRUE(plain.view().l4_checksum_is_right());
  ASSERT_EQ(bare.verdict, Verdict::kSent);
  EXPECT_EQ(bare.view().udp_checksum(), 0);
}

TEST_P(Replies, what_a_server_opens_itself_passes_untouched) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, masq(kServerA, 8080));
  run(door, packet().from("10.0.0.1", 5000).tcp(kSyn));
  const Packet strangers[] = {
      packet().from(kServerA, 8080).to("10.0.0.1", 5001).tcp(kAck),  // another client port
      packet().from(kServerA, 8081).to("10.0.0.1", 5000).tcp(kAck),  // another server port
      packet().from(kServerA, 8080).to("10.0.0.2", 5000).tcp(kAck),  // another client
      packet().from(kServerA, 8080).to("10.0.0.1", 5000).udp(),      // another protocol
      packet().from(kServerB, 8080).to("10.0.0.1", 5000).tcp(kAck),  // another server
  };
  for (const Packet& stranger : strangers) {
    const Outcome out = run(door, stranger);
    EXPECT_EQ(out.verdict, Verdict::kPass);
    EXPECT_EQ(out.bytes, stranger.bytes());
  }
}

TEST_P(Replies, a_reply_with_no_TTL_left_is_not_forwarded) {
  Service& http = tables.add(tcp_service(kVip, 80));
  tables.add_server(http, masq(kServerA, 8080));
  run(door, packet().from("10.0.0.1", 5000).tcp(kSyn));
  const Packet spent = packet().from(kServerA, 8080).to("10.0.0.1", 5000).tcp(kFin | kAck).ttl(1);
  const auto before = tables.flow(flow_key("10.0.0.1", 5000, kVip, 80));

  const Outcome out = run(door, spent);

  if (door == Door::kXdp) {
    EXPECT_EQ(out.verdict, Verdict::kPass);
    EXPECT_EQ(out.bytes, spent.bytes());
    EXPECT_EQ(tables.flow(flow_key("10.0.0.1", 5000, kVip, 80))->word, before->word) << "XDP leaves it all to tc";
  } else if (out.verdict == Verdict::kSent) {
    // The error must not pretend to come from the client.
    EXPECT_EQ(out.view().destination(), kServerA);
    EXPECT_NE(out.view().source(), "10.0.0.1");
  }
}

}  // namespace
}  // namespace limpet::packet
