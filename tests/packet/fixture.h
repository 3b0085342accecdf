// SPDX-License-Identifier: Apache-2.0
// The fixture of every packet test: one loaded data plane for the whole binary, empty tables for each test.
#pragma once

#include <gtest/gtest.h>

#include "tables.h"
#include "world.h"

namespace limpet::packet {

inline Plane& common_plane() {
  static Plane plane;
  return plane;
}

class PacketTest : public testing::Test {
 protected:
  void SetUp() override { tables.reset(); }

  // Next hops are fresh first, unless the test is about them.
  Outcome run(Door door, const Packet& packet, std::uint32_t mark = 0) { return run(door, packet.bytes(), mark); }
  Outcome run(Door door, const Bytes& frame, std::uint32_t mark = 0) {
    if (hops_stay_fresh) tables.freshen_hops();
    return plane.run(door, frame, mark);
  }

  // One SYN of a client, answered with where its flow went (0: it has none).
  std::uint32_t connect(const std::string& client, std::uint16_t port, std::uint16_t to_port = 80,
                        Door door = Door::kTc, std::uint32_t mark = 0) {
    run(door, packet().from(client, port).to(kVip, to_port).tcp(kSyn), mark);
    const auto flow = tables.flow(flow_key(client, port, kVip, to_port));
    return flow && life_of(flow->word) == LIMPET_LIFE_ALIVE ? flow->destination : 0;
  }

  // Counts must equal the entries that are alive in the tables (swept or not: who ends one, settles).
  void expect_counts_match_entries(const std::vector<std::uint32_t>& servers);
  // Each live template controls as many flows as name it.
  void expect_templates_hold_their_flows();

  Plane& plane = common_plane();
  Tables tables{plane};
  bool hops_stay_fresh = true;
};

// Tests of who is chosen: one new client after the other.
class SchedulerTest : public PacketTest {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    hops_stay_fresh = false;  // any next hop will do
  }

  // Where the next client's connection went.
  std::uint32_t next() {
    clients_++;
    return connect("10." + std::to_string(clients_ >> 16) + "." + std::to_string(clients_ >> 8 & 0xff) + ".1",
                   static_cast<std::uint16_t>(1024 + (clients_ & 0xff)));
  }

 private:
  std::uint32_t clients_ = 0;
};

// Tests that hold at several doors.
class AtDoor : public PacketTest, public testing::WithParamInterface<Door> {
 protected:
  Door door = GetParam();
  // What the mark door's hand-back and decrement do to a TTL: the kernel has forwarded the packet once already.
  [[nodiscard]] std::uint8_t forwarded_ttl(std::uint8_t ttl) const {
    return static_cast<std::uint8_t>(door == Door::kMark ? ttl : ttl - 1);
  }
};

inline std::string door_name(const testing::TestParamInfo<Door>& info) { return name_of(info.param); }

}  // namespace limpet::packet
