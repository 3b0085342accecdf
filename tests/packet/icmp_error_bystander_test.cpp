// SPDX-License-Identifier: Apache-2.0
// ICMP that is none of ours goes by: no byte changed, nothing recorded, nothing counted.
#include "icmp_errors.h"

namespace limpet::packet {
namespace {

using IcmpBystanders = IcmpErrors;

TEST_F(IcmpBystanders, an_error_about_no_connection_of_ours_passes) {
  expect_passes(error_in(quote(answer().to(kClient, 5001))), "another client port");
  expect_passes(error_in(quote(answer().to("10.0.0.2", 5000))), "another client");
  expect_passes(error_in(quote(answer(8080))), "another virtual port");
  expect_passes(error_in(quote(answer().udp())), "another protocol");
  expect_passes(error_in(quote(answer().from(kDirector, 80))), "the director's own");
  expect_passes(error_in(quote(packet().from(kClient, 5000).to(kVip, 80).tcp(kAck))), "the wrong way round");
}

TEST_F(IcmpBystanders, other_ICMP_messages_pass) {
  for (int type = 0; type < 256; type++) {
    if (type == 3 || type == 4 || type == 11) continue;
    const Kind kind{static_cast<std::uint8_t>(type), 0, 0};
    expect_passes(error_in(quote(answer()), kind), "in, type " + std::to_string(type));
    expect_passes(error_out(quote(request()), kind), "out, type " + std::to_string(type));
  }
  expect_passes(packet().to(kVip, 0).icmp(8, 0, Bytes(56)), "a ping of the virtual address");
  expect_passes(packet().from(kServerA, 0).to(kClient, 0).icmp(0, 0, Bytes(56)), "a server's answer to one");
}

TEST_F(IcmpBystanders, an_error_about_an_odd_packet_passes) {
  expect_passes(error_in(quote(answer().fragment(0, true))), "a first fragment");
  expect_passes(error_in(quote(answer().fragment(185, false))), "a later fragment");
  expect_passes(error_in(quote(answer().ip_options(4), 12)), "with IP options");
  expect_passes(error_in(quote(answer().protocol(1))), "ICMP");
  expect_passes(error_in(quote(answer().protocol(132))), "SCTP");
  for (int first = 0; first < 256; first++) {
    if (first == 0x45) continue;
    Packet odd = error_in(quote(answer()));
    expect_passes(odd.byte(kQuote, static_cast<std::uint8_t>(first)), "first byte " + std::to_string(first));
  }
}

TEST_F(IcmpBystanders, an_odd_error_passes) {
  for (const bool inwards : {true, false}) {
    const Packet error = inwards ? error_in(quote(answer())) : error_out(quote(request()));
    const std::string way = inwards ? "in, " : "out, ";
    expect_passes(Packet(error).fragment(0, true), way + "a first fragment");
    expect_passes(Packet(error).fragment(10, false), way + "a later fragment");
    expect_passes(Packet(error).ip_options(4), way + "with IP options");
    expect_passes(Packet(error).ttl(1), way + "TTL 1");
    expect_passes(Packet(error).ttl(0), way + "TTL 0");
    expect_passes(Packet(error).vlan(7), way + "tagged");
    expect_passes(Packet(error).to_mac(kStrangerMac), way + "another host's MAC");
  }
}

TEST_F(IcmpBystanders, a_truncated_error_passes_at_every_length) {
  for (const Packet& whole : {error_in(quote(answer(), 60)), error_out(quote(request(), 60))}) {
    const std::size_t length = whole.bytes().size();
    for (std::size_t cut = kL4; cut < length; cut++) {
      expect_passes(Packet(whole).cut(cut), std::to_string(cut) + " bytes");
    }
    // Too short for the quoted ports by its own account.
    for (std::size_t total = 0; total < 20 + 8 + 20 + 4; total++) {
      expect_passes(Packet(whole).byte(17, static_cast<std::uint8_t>(total)), "length " + std::to_string(total));
    }
  }
}

TEST_F(IcmpBystanders, an_address_that_is_not_local_is_not_ours) {
  const Temporarily gone("addr del 192.168.2.11/32 dev eth0", "addr add 192.168.2.11/32 dev eth0");
  tables.forget_local_addresses();
  expect_passes(error_in(quote(answer(80))), "masqueraded");
  expect_passes(error_in(quote(answer(443))), "routed");
}

TEST_F(IcmpBystanders, an_expired_connections_errors_pass_swept_or_not) {
  tables.let_pass(1000);
  for (const std::string when : {"before the sweep", "at its death", "after it"}) {
    expect_passes(error_in(quote(answer(80))), "in, masqueraded, " + when);
    expect_passes(error_in(quote(answer(443))), "in, routed, " + when);
    expect_passes(error_out(quote(request())), "out, " + when);
    tables.sweep();
  }
}

TEST_F(IcmpBystanders, the_xdp_door_leaves_every_error_to_tc) {
  for (const Kind& kind : kKinds) {
    expect_passes(error_in(quote(answer(80)), kind).bytes(), "in, masqueraded", Door::kXdp);
    expect_passes(error_in(quote(answer(443)), kind).bytes(), "in, routed", Door::kXdp);
    expect_passes(error_out(quote(request()), kind).bytes(), "out", Door::kXdp);
  }
}

}  // namespace
}  // namespace limpet::packet
