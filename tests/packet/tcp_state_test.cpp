// SPDX-License-Identifier: Apache-2.0
// The TCP state machines, cell by cell, against the kernel's tables (ip_vs_proto_tcp.c, tcp_states and tcp_states_dos).
#include <map>
#include <sstream>

#include "fixture.h"

namespace limpet::packet {
namespace {

// Written as the table stands in the kernel: rows by flag, columns NO ES SS SR FW TW CL CW LA LI SA.
using Table = std::map<std::string, std::map<std::string, std::string>>;
const Table kTable = {
    {"in",
     {{"syn", "SR ES ES SR SR SR SR SR SR SR SR"},
      {"fin", "CL CW SS TW TW TW CL CW LA LI TW"},
      {"ack", "ES ES SS ES FW TW CL CW CL LI ES"},
      {"rst", "CL CL CL SR CL CL CL CL LA LI SR"}}},
    {"out",
     {{"syn", "SS ES SS SR SS SS SS SS SS LI SR"},
      {"fin", "TW FW SS TW FW TW CL TW LA LI TW"},
      {"ack", "ES ES SS ES FW TW CL CW LA ES ES"},
      {"rst", "CL CL SS CL CL TW CL CL CL CL CL"}}},
    {"in only",
     {{"syn", "SR ES ES SR SR SR SR SR SR SR SR"},
      {"fin", "CL FW SS TW FW TW CL CW LA LI TW"},
      {"ack", "ES ES SS ES FW TW CL CW CL LI ES"},
      {"rst", "CL CL CL SR CL CL CL CL LA LI CL"}}},
};
const Table kSecureTable = {
    {"in",
     {{"syn", "SR ES ES SR SR SR SR SR SR SR SA"},
      {"fin", "CL CW SS TW TW TW CL CW LA LI SA"},
      {"ack", "ES ES SS SR FW TW CL CW CL LI SA"},
      {"rst", "CL CL CL SR CL CL CL CL LA LI CL"}}},
    {"out",
     {{"syn", "SS ES SS SA SS SS SS SS SS LI SA"},
      {"fin", "TW FW SS TW FW TW CL TW LA LI TW"},
      {"ack", "ES ES SS ES FW TW CL CW LA ES ES"},
      {"rst", "CL CL SS CL CL TW CL CL CL CL CL"}}},
    {"in only",
     {{"syn", "SA ES ES SR SA SA SA SA SA SA SA"},
      {"fin", "CL FW SS TW FW TW CL CW LA LI TW"},
      {"ack", "ES ES SS ES FW TW CL CW CL LI ES"},
      {"rst", "CL CL CL SR CL CL CL CL LA LI CL"}}},
};
const std::vector<std::string> kStates = {"NO", "ES", "SS", "SR", "FW", "TW", "CL", "CW", "LA", "LI", "SA"};
const std::map<std::string, int> kFlagBits = {{"syn", kSyn}, {"fin", kFin}, {"ack", kAck}, {"rst", kRst}};
const std::map<std::string, double> kTimeouts = {{"NO", 2},   {"ES", 900}, {"SS", 120}, {"SR", 60},
                                                 {"FW", 120}, {"TW", 120}, {"CL", 10},  {"CW", 60},
                                                 {"LA", 30},  {"LI", 120}, {"SA", 120}};

bool is_active(const std::string& state) { return state == "ES" || state == "SS" || state == "SR" || state == "SA"; }

std::uint32_t number_of(const std::string& state) {
  return static_cast<std::uint32_t>(std::find(kStates.begin(), kStates.end(), state) - kStates.begin());
}

class TcpStates : public AtDoor {
 protected:
  void SetUp() override {
    AtDoor::SetUp();
    tables.config().conn_reuse_mode = 0;  // a SYN in TIME_WAIT would open the flow anew
    tables.store_config();
    server = tables.add_server(tables.add(tcp_service(kVip, 80)), masq(kServerA));
    run(Door::kTc, packet().tcp(kSyn));
  }

  // Puts the flow into `state`, five seconds before its end.
  void enter(const std::string& state, bool no_output) {
    limpet_flow flow = tables.flow(key).value();
    flow.word = (ticks_now() + ticks(5)) << LIMPET_FLOW_EXPIRY_SHIFT |
                static_cast<std::uint64_t>(number_of(state)) << LIMPET_FLOW_STATE_SHIFT |
                (no_output ? LIMPET_FLOW_NOOUTPUT : 0);
    tables.put(key, flow);
    tables.set_counts(server, {is_active(state) ? 1 : 0, 1, 0, 0, {}});
  }

  void expect_state(const std::string& state, const std::string& what) {
    const limpet_flow flow = tables.flow(key).value();
    EXPECT_EQ(kStates.at(state_of(flow)), state) << what;
    EXPECT_NEAR(seconds_left(flow), kTimeouts.at(state), 0.3) << what;
    EXPECT_EQ(tables.counts(server).active, is_active(state) ? 1 : 0) << what;
    EXPECT_EQ(tables.counts(server).total, 1) << what;
  }

  void expect_table(const Table& table) {
    for (const auto& [direction, rows] : table) {
      if (direction == "out" && door == Door::kMark) continue;  // replies are not routed to it
      for (const auto& [flag, row] : rows) {
        std::istringstream cells(row);
        std::string next;
        for (const std::string& state : kStates) {
          cells >> next;
          enter(state, direction == "in only");
          EXPECT_EQ(send(direction, kFlagBits.at(flag)).verdict, Verdict::kSent);
          expect_state(next, direction + ", " + state + " + " + flag);
        }
      }
    }
  }

  Outcome send(const std::string& direction, int flags) {
    if (direction != "out") return run(door, packet().tcp(flags));
    return run(door, packet().from(kServerA, 80).to("10.0.0.1", 40000).tcp(flags));
  }

  const limpet_flow4_key key = flow_key("10.0.0.1", 40000, kVip, 80);
  std::uint32_t server = 0;
};
INSTANTIATE_TEST_SUITE_P(At, TcpStates, testing::Values(Door::kTc, Door::kXdp, Door::kMark), door_name);

TEST_P(TcpStates, every_cell_of_the_table_holds) { expect_table(kTable); }

TEST_P(TcpStates, every_cell_of_the_table_for_secure_tcp_holds) {
  tables.config().flags |= LIMPET_SECURE_TCP;
  tables.store_config();
  expect_table(kSecureTable);
}

// As recorded: a masqueraded connection waits for its server in SYN_RECV, a routed one begins in SYNACK.
TEST_P(TcpStates, with_secure_tcp_a_masqueraded_connection_is_established_by_both_sides) {
  tables.config().flags |= LIMPET_SECURE_TCP;
  tables.store_config();
  enter("SR", false);
  send("in", kAck);
  expect_state("SR", "the client alone");
  if (door == Door::kMark) return;
  send("out", kSyn | kAck);
  expect_state("SA", "the server's answer");
  send("in", kAck);
  expect_state("SA", "the client's");
  send("out", kAck);
  expect_state("ES", "data");
}

TEST_P(TcpStates, with_secure_tcp_a_routed_connection_begins_in_SYNACK) {
  tables.config().flags |= LIMPET_SECURE_TCP;
  tables.store_config();
  tables.add_server(tables.add(tcp_service(kVip, 81)), route(kServerA));
  const auto routed = flow_key("10.0.0.1", 40000, kVip, 81);
  run(door, packet().to(kVip, 81).tcp(kSyn));
  EXPECT_EQ(kStates.at(state_of(*tables.flow(routed))), "SA");
  run(door, packet().to(kVip, 81).tcp(kAck));
  EXPECT_EQ(kStates.at(state_of(*tables.flow(routed))), "ES");
}

TEST_P(TcpStates, a_segment_without_flags_closes) {
  for (const std::string& state : kStates) {
    enter(state, false);
    send("in", kPsh);
    expect_state("CL", state);
  }
}

TEST_P(TcpStates, a_reset_counts_before_a_SYN_before_a_FIN_before_an_ACK) {
  enter("ES", false);
  send("in", kRst | kSyn | kFin | kAck);
  expect_state("CL", "RST");
  enter("CW", false);
  send("in", kSyn | kFin | kAck);
  expect_state("SR", "SYN");
  enter("ES", false);
  send("in", kFin | kAck);
  expect_state("CW", "FIN");
}

TEST_P(TcpStates, a_reply_ends_the_expectation_of_none) {
  if (door == Door::kMark) return;
  enter("ES", true);
  send("out", kAck);
  EXPECT_FALSE(tables.flow(key)->word & LIMPET_FLOW_NOOUTPUT);
  send("in", kFin);
  expect_state("CW", "as with replies");
}

TEST_P(TcpStates, an_expiry_is_written_once_a_second_only) {
  enter("ES", false);
  send("in", kAck);
  const std::uint64_t word = tables.flow(key)->word;
  send("in", kAck);
  EXPECT_EQ(tables.flow(key)->word, word);
  tables.let_pass(2);
  send("in", kAck);
  EXPECT_NEAR(seconds_left(*tables.flow(key)), 900, 0.3);
}

TEST_P(TcpStates, a_lowered_timeout_reaches_established_flows) {
  enter("ES", false);
  send("in", kAck);
  tables.config().tcp_timeouts[LIMPET_TCP_ESTABLISHED] = 30;
  tables.store_config();
  send("in", kAck);
  EXPECT_NEAR(seconds_left(*tables.flow(key)), 30, 0.3);
}

}  // namespace
}  // namespace limpet::packet
