// SPDX-License-Identifier: Apache-2.0
// The fixture of the tests about ICMP errors: three connections, errors about them, and what must not have changed.
#pragma once

#include <algorithm>
#include <cstring>

#include "fixture.h"

namespace limpet::packet {

inline const std::string kClient = "10.0.0.1";
inline const std::string kRouter = "10.9.9.9";           // between the director and the client
inline const std::string kServerRouter = "192.168.3.1";  // between the director and a server
inline constexpr std::size_t kQuote = kL4 + 8;           // where the quoted packet begins

struct Kind {
  std::uint8_t type;
  std::uint8_t code;
  std::uint16_t mtu;
};
inline constexpr Kind kKinds[] = {{3, 4, 1400}, {3, 1, 0}, {3, 3, 0}, {11, 0, 0}, {4, 0, 0}};

// The first bytes of a packet as an error quotes them.
inline Bytes quote(const Packet& packet, std::size_t payload = 8) {
  const Bytes frame = packet.bytes();
  const std::size_t end = std::min(frame.size(), kL4 + payload);
  return {frame.begin() + kEthernet, frame.begin() + static_cast<std::ptrdiff_t>(end)};
}

// What a quote must have become: rebuilt from the rewritten packet, but for the TCP or UDP checksum, which stays.
inline Bytes translated(const Packet& rewritten, const Bytes& original) {
  Bytes quoted = quote(rewritten, original.size() - 20);
  const std::size_t checksum = original.at(9) == 17 ? 26 : 36;
  for (std::size_t i = checksum; i < std::min(checksum + 2, original.size()); i++) quoted.at(i) = original.at(i);
  return quoted;
}

inline Bytes sent_to(Bytes frame, const Mac& mac) {
  std::copy(mac.begin(), mac.end(), frame.begin());
  std::copy(kDirectorMac.begin(), kDirectorMac.end(), frame.begin() + 6);
  return frame;
}

class IcmpErrors : public PacketTest {
 protected:
  // A flow of each kind: TCP to server A masqueraded on 8080, TCP routed to server B, UDP masqueraded to C on 5353.
  void SetUp() override {
    PacketTest::SetUp();
    server_a = tables.add_server(tables.add(tcp_service(kVip, 80)), masq(kServerA, 8080));
    server_b = tables.add_server(tables.add(tcp_service(kVip, 443).persistent(300)), route(kServerB, 443));
    server_c = tables.add_server(tables.add(udp_service(kVip, 53)), masq(kServerC, 5353));
    run(Door::kTc, packet().from(kClient, 5000).to(kVip, 80).tcp(kSyn));
    run(Door::kTc, packet().from(kClient, 5000).to(kVip, 443).tcp(kSyn));
    run(Door::kTc, packet().from(kClient, 5000).to(kVip, 53).udp());
    // The client's next hop becomes known by a reply; the first one probes it.
    run(Door::kTc, packet().from(kServerC, 5353).to(kClient, 5000).udp());
  }

  // All entries and counts, byte by byte.
  [[nodiscard]] std::vector<Bytes> entries() const {
    std::vector<Bytes> all;
    const auto add = [&all](const auto& entry) {
      Bytes raw(sizeof(entry));
      std::memcpy(raw.data(), &entry, sizeof(entry));
      all.push_back(raw);
    };
    for (const auto& [key, flow] : tables.flows()) add(key), add(flow);
    for (const auto& [key, held] : tables.templates()) add(key), add(held);
    for (const std::uint32_t server : {server_a, server_b, server_c}) add(tables.counts(server));
    all.emplace_back(tables.reverse_entries());
    return all;
  }
  [[nodiscard]] std::vector<std::uint64_t> counted(std::uint32_t server) const {
    const limpet_counters c = tables.counters(server);
    return {c.in_packets, c.in_bytes, c.out_packets, c.out_bytes, c.connections};
  }

  void expect_passes(const Bytes& frame, const std::string& what, Door door = Door::kTc) {
    const auto before = entries();
    const std::vector<std::uint64_t> counters[] = {counted(server_a), counted(server_b), counted(server_c)};
    const Outcome out = run(door, frame);
    EXPECT_EQ(out.verdict, Verdict::kPass) << what;
    EXPECT_EQ(out.bytes, frame) << what;
    EXPECT_EQ(entries(), before) << what;
    EXPECT_EQ(counted(server_a), counters[0]) << what;
    EXPECT_EQ(counted(server_b), counters[1]) << what;
    EXPECT_EQ(counted(server_c), counters[2]) << what;
  }
  void expect_passes(const Packet& packet, const std::string& what) { expect_passes(packet.bytes(), what); }

  // What the server has sent, as the client's side sees it.
  [[nodiscard]] static Packet answer(std::uint16_t port = 80) {
    return packet().from(kVip, port).to(kClient, 5000).tcp(kAck).payload(1400).dont_fragment().ttl(61);
  }
  // What the client has sent, as the server's side sees it.
  [[nodiscard]] static Packet request() {
    return packet().from(kClient, 5000).to(kServerA, 8080).tcp(kAck).payload(1000).ttl(60);
  }
  // An error from the client's side about it, respectively from the server's.
  [[nodiscard]] static Packet error_in(const Bytes& quoted, Kind kind = kKinds[0]) {
    return packet().from(kRouter, 0).to(kVip, 0).icmp(kind.type, kind.code, quoted, kind.mtu).ttl(50);
  }
  [[nodiscard]] static Packet error_out(const Bytes& quoted, Kind kind = kKinds[0]) {
    return packet().from(kServerA, 0).to(kClient, 0).icmp(kind.type, kind.code, quoted, kind.mtu).ttl(50);
  }

  std::uint32_t server_a = 0;
  std::uint32_t server_b = 0;
  std::uint32_t server_c = 0;
};

}  // namespace limpet::packet
