// SPDX-License-Identifier: Apache-2.0
// Both back ends of iptables must be understood alike: every scenario runs with iptables-legacy and iptables-nft.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "fixture.h"

namespace limpet::network {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Iptables : public FirewallTest, public testing::WithParamInterface<const char*> {
 protected:
  static void rule(const std::string& arguments) { run(std::string(GetParam()) + " -w " + arguments); }
};

INSTANTIATE_TEST_SUITE_P(, Iptables, testing::Values("iptables-legacy", "iptables-nft"), [](const auto& tested) {
  return std::string(tested.param) == "iptables-nft" ? "nft" : "legacy";
});

TEST_P(Iptables, tables_that_accept_are_harmless) {
  rule("-P FORWARD ACCEPT");
  rule("-A FORWARD -p tcp --dport 25 -j DROP");
  rule("-A FORWARD -i eth1 -j REJECT");
  rule("-t nat -A PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 80");
  rule("-t mangle -A PREROUTING -p tcp --dport 80 -j MARK --set-mark 1");
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_P(Iptables, a_forward_policy_of_drop_is_told_with_the_way_out) {
  rule("-P FORWARD DROP");
  EXPECT_THAT(hazards(),
              ElementsAre(AllOf(HasSubstr("FORWARD policy of iptables"), HasSubstr("is DROP"),
                                HasSubstr(std::string("`") + GetParam() + " -I FORWARD -o limpet0 -j ACCEPT`"))));
  follow_the_advice();
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_P(Iptables, only_an_accept_that_takes_every_packet_out_of_limpet0_makes_a_drop_policy_harmless) {
  const std::vector<std::string> too_little{"-o eth1 -j ACCEPT",
                                            "-o limpet -j ACCEPT",
                                            "! -o limpet0 -j ACCEPT",
                                            "-i eth1 -o limpet0 -j ACCEPT",
                                            "-p tcp -j ACCEPT",
                                            "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
                                            "-s 10.0.0.0/8 -j ACCEPT",
                                            "-d 10.0.0.0/8 -o limpet0 -j ACCEPT",
                                            "-o limpet0 -j LOG",
                                            "-o limpet0",
                                            "-m addrtype --dst-type LOCAL -j ACCEPT"};
  const std::vector<std::string> enough{
      "-o limpet0 -j ACCEPT", "-o limpet+ -j ACCEPT",
      "-i eth0 -j ACCEPT",    "-j ACCEPT",
      "! -o eth1 -j ACCEPT",  "-o limpet0 -m comment --comment \"marks, please\" -j ACCEPT"};
  rule("-P FORWARD DROP");
  for (const std::string& specification : too_little) {
    rule("-A FORWARD " + specification);
    EXPECT_EQ(hazards().size(), 1U) << specification;
    rule("-F FORWARD");
  }
  for (const std::string& specification : enough) {
    rule("-A FORWARD " + specification);
    EXPECT_THAT(hazards(), IsEmpty()) << specification;
    rule("-F FORWARD");
  }
}

TEST_P(Iptables, an_accept_must_hold_for_every_interface_where_clients_arrive) {
  rule("-P FORWARD DROP");
  rule("-A FORWARD -i eth0 -j ACCEPT");
  EXPECT_THAT(hazards({"eth0"}), IsEmpty());
  EXPECT_EQ(hazards({"eth0", "eth1"}).size(), 1U);
  EXPECT_EQ(hazards({}).size(), 1U);
}

TEST_P(Iptables, an_accept_in_a_chain_jumped_to_counts) {
  rule("-P FORWARD DROP");
  rule("-N FIRST");
  rule("-N SECOND");
  rule("-A FORWARD -j FIRST");
  rule("-A FIRST -p udp -j DROP");
  rule("-A FIRST -j SECOND");
  EXPECT_EQ(hazards().size(), 1U);
  rule("-A SECOND -o limpet0 -j ACCEPT");
  EXPECT_THAT(hazards(), IsEmpty());
  rule("-I FIRST -j RETURN");
  EXPECT_EQ(hazards().size(), 1U) << "SECOND is never reached";
}

TEST_P(Iptables, a_chain_left_by_goto_comes_back_to_the_policy) {
  rule("-P FORWARD DROP");
  rule("-N ELSEWHERE");
  rule("-A FORWARD -g ELSEWHERE");
  rule("-A FORWARD -o limpet0 -j ACCEPT");
  EXPECT_EQ(hazards().size(), 1U);
}

TEST_P(Iptables, a_rule_that_rejects_all_the_rest_is_told_like_a_policy) {
  rule("-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
  rule("-A FORWARD -j REJECT --reject-with icmp-host-prohibited");
  EXPECT_THAT(hazards(), ElementsAre(AllOf(HasSubstr("drops what is forwarded to limpet0"), HasSubstr(GetParam()))));
  follow_the_advice();
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_P(Iptables, a_masquerade_for_every_interface_is_told_with_the_way_out) {
  rule("-t nat -A POSTROUTING -j MASQUERADE");
  EXPECT_THAT(hazards(),
              ElementsAre(AllOf(HasSubstr("MASQUERADE"), HasSubstr("`-o INTERFACE`"),
                                HasSubstr(std::string(GetParam()) + " -t nat -I POSTROUTING -o limpet0 -j ACCEPT"))));
  follow_the_advice();
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_P(Iptables, only_source_nat_that_reaches_limpet0_is_told) {
  const std::vector<std::string> harmless{"-o eth1 -j MASQUERADE",
                                          "-s 192.168.2.0/24 -j MASQUERADE",
                                          "-s 192.168.2.0/24 ! -o eth1 -j MASQUERADE",
                                          "! -s 192.168.2.0/24 -o eth1 -j MASQUERADE",
                                          "! -o limpet0 -j MASQUERADE",
                                          "-o eth+ -j SNAT --to-source 192.0.2.1",
                                          "-m addrtype --src-type LOCAL -j MASQUERADE",
                                          "-j ACCEPT"};
  const std::vector<std::string> harmful{"-j SNAT --to-source 192.0.2.1", "-o limpet0 -j MASQUERADE",
                                         "-o limpet+ -j MASQUERADE",      "! -o eth1 -j MASQUERADE",
                                         "-p tcp -j MASQUERADE",          "-p tcp --dport 80 -j MASQUERADE",
                                         "-m mark --mark 1 -j MASQUERADE"};
  for (const std::string& specification : harmless) {
    rule("-t nat -A POSTROUTING " + specification);
    EXPECT_THAT(hazards(), IsEmpty()) << specification;
    rule("-t nat -F POSTROUTING");
  }
  for (const std::string& specification : harmful) {
    rule("-t nat -A POSTROUTING " + specification);
    EXPECT_EQ(hazards().size(), 1U) << specification;
    rule("-t nat -F POSTROUTING");
  }
}

TEST_P(Iptables, a_masquerade_behind_a_conditional_return_of_its_chain_is_not_told) {
  rule("-t nat -N CONTAINERS");
  rule("-t nat -A POSTROUTING -m comment --comment \"pods\" -j CONTAINERS");
  rule("-t nat -A CONTAINERS -m mark ! --mark 0x4000/0x4000 -j RETURN");
  rule("-t nat -A CONTAINERS -j MASQUERADE");
  EXPECT_THAT(hazards(), IsEmpty());
  rule("-t nat -D CONTAINERS 1");
  EXPECT_EQ(hazards().size(), 1U);
}

TEST_P(Iptables, the_ipv6_tables_are_none_of_this) {
  const std::string six = std::string(GetParam()) == "iptables-nft" ? "ip6tables-nft" : "ip6tables-legacy";
  run(six + " -P FORWARD DROP");
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_P(Iptables, a_mess_of_other_matches_and_targets_does_no_harm) {
  rule("-N LIMITED");
  rule("-A FORWARD -p tcp -m multiport --dports 80,443 -m limit --limit 5/min -j LOG --log-prefix x");
  rule("-A FORWARD -m string --string bad --algo bm -j DROP");
  rule("-A FORWARD -m time --timestart 01:00 --timestop 02:00 -j LIMITED");
  rule("-A LIMITED -m hashlimit --hashlimit-above 5/sec --hashlimit-mode srcip --hashlimit-name h -j DROP");
  rule("-A LIMITED -m statistic --mode random --probability 0.5 -j REJECT");
  rule("-A FORWARD -f -j DROP");
  rule("-A FORWARD -p icmp --icmp-type echo-request -j ACCEPT");
  rule("-t nat -A POSTROUTING -p tcp -m owner --uid-owner 0 -j MASQUERADE --random");
  EXPECT_THAT(hazards(), IsEmpty());
}

class NoIptables : public FirewallTest {};

TEST_F(NoIptables, asking_creates_no_table) {
  EXPECT_THAT(hazards(), IsEmpty());
  std::ifstream legacy("/proc/thread-self/net/ip_tables_names");
  std::ostringstream tables;
  tables << legacy.rdbuf();
  EXPECT_EQ(tables.str(), "");
  run("test -z \"$(nft list ruleset)\"");
}

TEST_F(NoIptables, both_back_ends_can_be_wrong_at_once) {
  run("iptables-legacy -P FORWARD DROP");
  run("iptables-nft -P FORWARD DROP");
  run("iptables-legacy -t nat -A POSTROUTING -j MASQUERADE");
  EXPECT_EQ(hazards().size(), 3U);
}

}  // namespace
}  // namespace limpet::network
