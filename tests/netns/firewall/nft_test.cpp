// SPDX-License-Identifier: Apache-2.0
// Native nf_tables rulesets, with everything that iptables has no word for.
#include <string>
#include <vector>

#include "fixture.h"

namespace limpet::network {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Nft : public FirewallTest {
 protected:
  /// A forward chain of policy drop in table `inet guard`, with a few sets and chains at hand.
  static void guard(const std::string& rules, const std::string& policy = "drop") {
    run("nft delete table inet guard 2>/dev/null || true");
    nft("table inet guard {\n"
        "  set inside { type ifname; elements = { \"eth1\", \"limpet0\" }; }\n"
        "  set outside { type ifname; elements = { \"eth0\" }; }\n"
        "  set addresses { type ipv4_addr; flags interval; elements = { 192.0.2.0/24 }; }\n"
        "  chain yes { tcp dport 25 drop; accept; }\n"
        "  chain no { ip saddr @addresses accept; drop; }\n"
        "  chain pass { type filter hook forward priority 0; policy " +
        policy + ";\n" + rules + "\n}\n}");
  }

  /// A postrouting chain in table `ip translate`.
  static void translate(const std::string& rules) {
    run("nft delete table ip translate 2>/dev/null || true");
    nft("table ip translate {\n"
        "  set addresses { type ipv4_addr; elements = { 192.0.2.1 }; }\n"
        "  chain post { type nat hook postrouting priority 100;\n" +
        rules + "\n}\n}");
  }
};

TEST_F(Nft, a_forward_policy_of_drop_is_told_with_the_way_out) {
  guard("ct state established,related accept; oifname \"eth1\" accept");
  EXPECT_THAT(hazards(), ElementsAre(AllOf(HasSubstr("nft chain inet guard pass is drop"),
                                           HasSubstr("`nft insert rule inet guard pass oifname limpet0 accept`"))));
  follow_the_advice();
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_F(Nft, chains_at_other_hooks_and_of_other_families_are_none_of_this) {
  nft("table inet host { chain in { type filter hook input priority 0; policy drop; }; }\n"
      "table ip6 six { chain pass { type filter hook forward priority 0; policy drop; }; }\n"
      "table bridge b { chain pass { type filter hook forward priority 0; policy drop; }; }\n"
      "table ip6 nat6 { chain post { type nat hook postrouting priority 100; masquerade; }; }");
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_F(Nft, a_dormant_table_is_not_in_effect) {
  nft("table ip asleep { flags dormant; chain pass { type filter hook forward priority 0; policy drop; }; }");
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_F(Nft, every_forward_chain_must_let_the_packets_by) {
  nft("table ip one { chain pass { type filter hook forward priority 0; policy drop; accept; }; }\n"
      "table ip two { chain pass { type filter hook forward priority 1; policy drop; }; }");
  EXPECT_THAT(hazards(), ElementsAre(HasSubstr("ip two pass")));
}

TEST_F(Nft, what_plainly_accepts_makes_a_drop_policy_harmless) {
  const std::vector<std::string> enough{"accept",
                                        "counter accept",
                                        "oifname \"limpet0\" accept",
                                        "oifname \"limpet*\" counter log accept",
                                        "oif limpet0 accept",
                                        "iif eth0 oif limpet0 accept",
                                        "oifname != { \"eth0\", \"eth1\" } accept",
                                        "oifname { \"docker0\", \"limpet0\" } accept",
                                        "oifname { \"docker*\", \"limp*\" } accept",
                                        "iifname @outside oifname @inside accept",
                                        "oif { lo, limpet0 } accept",
                                        "oifname vmap { \"eth1\" : drop, \"limpet0\" : accept }",
                                        "iifname vmap { \"eth1\" : jump no, \"eth0\" : jump yes }",
                                        "meta nfproto ipv4 accept",
                                        "meta protocol ip accept",
                                        "jump yes",
                                        "ct state new jump yes",
                                        "oifname limpet0 goto yes"};
  for (const std::string& rules : enough) {
    guard(rules);
    EXPECT_THAT(hazards(), IsEmpty()) << rules;
  }
}

TEST_F(Nft, what_accepts_only_some_packets_leaves_a_drop_policy_a_hazard) {
  const std::vector<std::string> too_little{"ct state established,related accept",
                                            "ct state vmap { established : accept, related : accept, invalid : drop }",
                                            "oifname \"limpet\" accept",
                                            "oifname != \"limpet0\" accept",
                                            "oifname { \"eth0\", \"eth1\" } accept",
                                            "oifname { \"a*\", \"limpet1*\", \"z*\" } accept",
                                            "oifname != @inside accept",
                                            "iifname @inside accept",
                                            "oif eth1 accept",
                                            "iifname . oifname { \"eth1\" . \"eth0\" } accept",
                                            "oifname vmap { \"eth1\" : accept, \"limpet0\" : jump no }",
                                            "tcp dport { 80, 443 } accept",
                                            "tcp dport 1000-2000 accept",
                                            "ip saddr @addresses accept",
                                            "ip daddr 192.0.2.1 oifname limpet0 accept",
                                            "meta nfproto ipv6 accept",
                                            "meta protocol ip6 accept",
                                            "limit rate 5/second accept",
                                            "fib daddr type local accept",
                                            "meta mark set 7",
                                            "meta iifgroup 3 accept",
                                            "oifname limpet0 return; accept",
                                            "goto no",
                                            "jump no; accept"};
  for (const std::string& rules : too_little) {
    guard(rules);
    EXPECT_EQ(hazards().size(), 1U) << rules;
  }
}

TEST_F(Nft, a_rule_that_drops_all_the_rest_is_told_like_a_policy) {
  for (const std::string rules : {"reject with icmpx admin-prohibited", "oifname limpet0 drop", "jump no"}) {
    guard(rules, "accept");
    EXPECT_THAT(hazards(), ElementsAre(HasSubstr("A rule in nft chain inet guard pass drops"))) << rules;
  }
  follow_the_advice();
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_F(Nft, drops_of_some_packets_are_harmless_under_an_accepting_policy) {
  guard("ct state invalid drop; ip saddr @addresses drop; oifname eth1 drop; meta nfproto ipv6 drop; tcp dport 25 drop",
        "accept");
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_F(Nft, a_masquerade_for_every_interface_is_told_with_the_way_out) {
  translate("masquerade");
  EXPECT_THAT(hazards(), ElementsAre(AllOf(HasSubstr("nft chain ip translate post"), HasSubstr("oifname INTERFACE"),
                                           HasSubstr("`nft insert rule ip translate post oifname limpet0 accept`"))));
  follow_the_advice();
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_F(Nft, only_source_nat_that_reaches_limpet0_is_told) {
  const std::vector<std::string> harmless{"oifname eth1 masquerade",
                                          "oif eth1 snat to 192.0.2.1",
                                          "oifname { \"eth0\", \"eth1\" } masquerade",
                                          "oifname != \"limpet0\" masquerade",
                                          "ip saddr 192.168.2.0/24 masquerade",
                                          "ip saddr != 10.0.0.0/8 oifname eth1 masquerade",
                                          "ip saddr @addresses masquerade",
                                          "ip saddr . tcp dport { 192.0.2.1 . 80 } masquerade",
                                          "fib saddr type local masquerade",
                                          "ct status dnat masquerade",
                                          "accept; masquerade"};
  const std::vector<std::string> harmful{"snat to 192.0.2.1",
                                         "oifname limpet0 masquerade",
                                         "oifname != eth1 masquerade",
                                         "ip protocol tcp masquerade",
                                         "tcp dport { 80, 443 } counter masquerade",
                                         "meta mark 1 masquerade",
                                         "meta mark & 0xff == 1 snat to 192.0.2.1",
                                         "oifname != { \"eth0\", \"eth1\" } masquerade"};
  for (const std::string& rules : harmless) {
    translate(rules);
    EXPECT_THAT(hazards(), IsEmpty()) << rules;
  }
  for (const std::string& rules : harmful) {
    translate(rules);
    EXPECT_EQ(hazards().size(), 1U) << rules;
  }
}

TEST_F(Nft, an_inet_table_may_translate_addresses_too) {
  nft("table inet t { chain out { masquerade; }\n"
      "  chain post { type nat hook postrouting priority 100; meta nfproto ipv4 jump out; }; }");
  EXPECT_THAT(hazards(), ElementsAre(HasSubstr("inet t post")));
}

}  // namespace
}  // namespace limpet::network
