// SPDX-License-Identifier: Apache-2.0
// What is none of ours goes by: no byte changed, nothing recorded, nothing counted.
#include "fixture.h"

namespace limpet::packet {
namespace {

class Bystanders : public AtDoor {
 protected:
  void SetUp() override {
    AtDoor::SetUp();
    Service& http = tables.add(tcp_service(kVip, 80));
    tables.add_server(http, masq(kServerA));
    Service& dns = tables.add(udp_service(kVip, 53));
    tables.add_server(dns, route(kServerB));
  }

  // The mark door gives a packet back with the TTL that the way to it took.
  [[nodiscard]] Bytes untouched(Bytes frame) const {
    if (door != Door::kMark || frame.size() < kL4 || frame[12] != 0x08 || frame[13] != 0x00) return frame;
    const std::uint32_t sum = static_cast<std::uint16_t>(~View(frame).word(24)) + 0x0100U;
    const auto folded = static_cast<std::uint16_t>(~((sum & 0xffff) + (sum >> 16)));
    frame[22]++;
    frame[24] = static_cast<std::uint8_t>(folded >> 8);
    frame[25] = static_cast<std::uint8_t>(folded);
    return frame;
  }

  void expect_ignored(const Bytes& frame, const std::string& what) {
    const Outcome out = run(door, frame);
    EXPECT_EQ(out.verdict, Verdict::kPass) << what;
    EXPECT_EQ(out.bytes, untouched(frame)) << what;
    EXPECT_TRUE(tables.nothing_is_recorded()) << what;
  }
  void expect_ignored(const Packet& packet, const std::string& what) { expect_ignored(packet.bytes(), what); }
};
INSTANTIATE_TEST_SUITE_P(At, Bystanders, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(Bystanders, other_addresses_and_ports_pass) {
  expect_ignored(packet().to(kDirector, 80).tcp(kSyn), "the director's own address");
  expect_ignored(packet().to("198.51.100.1", 80).tcp(kSyn), "somebody else's address");
  expect_ignored(packet().to(kVip, 81).tcp(kSyn), "a port without a service");
  expect_ignored(packet().to(kVip, 80).udp(), "the port of another protocol's service");
}

TEST_P(Bystanders, later_and_first_fragments_pass) {
  expect_ignored(packet().tcp(kSyn).fragment(0, true), "first fragment");
  expect_ignored(packet().tcp(kSyn).fragment(185, true), "middle fragment");
  expect_ignored(packet().tcp(kSyn).fragment(185, false), "last fragment");
}

TEST_P(Bystanders, IP_options_pass) {
  expect_ignored(packet().tcp(kSyn).ip_options(4), "four bytes");
  expect_ignored(packet().tcp(kSyn).ip_options(40), "forty bytes");
}

TEST_P(Bystanders, truncated_frames_pass_at_every_length) {
  for (const Packet& whole : {packet().tcp(kSyn), packet().to(kVip, 53).udp().payload(20)}) {
    const std::size_t length = whole.bytes().size();
    for (std::size_t cut = kEthernet + 1; cut < length; cut++) {
      Packet p = whole;
      // Linux refuses to run frames without a whole IPv4 header; what it runs must come back as it was.
      if (cut < kL4) p.ethertype(0x88b5);
      expect_ignored(p.cut(cut), std::to_string(cut) + " bytes");
    }
  }
}

TEST_P(Bystanders, a_packet_shorter_than_its_headers_say_passes_at_every_length) {
  for (const Packet& whole : {packet().tcp(kSyn), packet().to(kVip, 53).udp()}) {
    const std::size_t right = whole.bytes().size() - kEthernet;
    for (std::size_t total = 0; total < right; total++) {
      Packet p = whole;
      expect_ignored(p.byte(17, static_cast<std::uint8_t>(total)), "total length " + std::to_string(total));
    }
    Packet p = whole;
    expect_ignored(p.byte(17, static_cast<std::uint8_t>(right + 1)), "total length beyond the frame");
  }
}

TEST_P(Bystanders, malformed_headers_pass) {
  expect_ignored(packet().tcp(kSyn).spoil_ip_checksum(), "wrong IP checksum");
  for (int version = 0; version < 16; version++) {
    if (version == 4) continue;
    expect_ignored(packet().tcp(kSyn).byte(14, static_cast<std::uint8_t>(version << 4 | 5)), "another IP version");
  }
  for (int words = 0; words < 5; words++) {
    expect_ignored(packet().tcp(kSyn).byte(14, static_cast<std::uint8_t>(0x40 | words)), "a short IP header");
    expect_ignored(packet().tcp(kSyn).byte(46, static_cast<std::uint8_t>(words << 4)), "a short TCP header");
  }
  expect_ignored(packet().tcp(kSyn).byte(46, 6 << 4), "a TCP header beyond the packet");
  for (int length = 0; length < 8; length++) {
    expect_ignored(packet().to(kVip, 53).udp().byte(39, static_cast<std::uint8_t>(length)), "a short UDP length");
  }
  expect_ignored(packet().to(kVip, 53).udp().payload(10).byte(39, 19), "a UDP length beyond the packet");
}

TEST_P(Bystanders, other_protocols_pass) {
  expect_ignored(packet().tcp(kSyn).protocol(1), "ICMP");
  expect_ignored(packet().tcp(kSyn).protocol(132), "SCTP");
  expect_ignored(packet().tcp(kSyn).protocol(47), "GRE");
  expect_ignored(packet().tcp(kSyn).ethertype(0x0806), "ARP");
  expect_ignored(packet().tcp(kSyn).payload(40).ethertype(0x86dd), "IPv6");
  expect_ignored(packet().tcp(kSyn).ethertype(0x88b5), "an unknown ethertype");
}

TEST_P(Bystanders, impossible_sources_pass) {
  for (const char* source : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255"}) {
    expect_ignored(packet().from(source, 4000).tcp(kSyn), source);
  }
}

// The client's handshake must be able to fail: the packet goes on to the local stack, which resets it.
TEST_P(Bystanders, a_TCP_segment_that_does_not_begin_a_connection_passes) {
  for (const int flags : {0, +kAck, +kFin, kFin | kAck, +kRst, kRst | kAck, kSyn | kRst, kSyn | kRst | kAck}) {
    expect_ignored(packet().tcp(flags), "flags " + std::to_string(flags));
  }
}

TEST_P(Bystanders, FTP_data_connections_of_real_servers_pass) {
  expect_ignored(packet().from("10.0.0.1", 20).tcp(kSyn), "TCP");
  expect_ignored(packet().from("10.0.0.1", 20).to(kVip, 53).udp(), "UDP");
}

// At limpet0 there is neither: the frames there are the kernel's own.
using InterfaceBystanders = Bystanders;
INSTANTIATE_TEST_SUITE_P(At, InterfaceBystanders, testing::Values(Door::kTc, Door::kXdp), door_name);

TEST_P(InterfaceBystanders, frames_for_another_MAC_pass) {
  expect_ignored(packet().tcp(kSyn).to_mac(kStrangerMac), "another host's");
  expect_ignored(packet().tcp(kSyn).to_mac({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "broadcast");
  expect_ignored(packet().tcp(kSyn).to_mac({1, 0, 0x5e, 0, 0, 1}), "multicast");
}

TEST_P(InterfaceBystanders, VLAN_tagged_frames_pass) {
  expect_ignored(packet().tcp(kSyn).vlan(7), "tag 7");
  expect_ignored(packet().tcp(kSyn).vlan(0), "priority tag");
}

}  // namespace
}  // namespace limpet::packet
