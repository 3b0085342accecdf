// SPDX-License-Identifier: Apache-2.0
// The sysctls of an ingress interface, and how long all the asking takes.
#include <algorithm>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "fixture.h"
#include "network/firewall_check.h"

namespace limpet::network {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Sysctl : public FirewallTest {};
class Rulesets : public FirewallTest {};

TEST_F(Sysctl, strict_rp_filter_is_a_hazard_only_together_with_src_valid_mark) {
  set_sysctl("eth0", "rp_filter", 1);
  EXPECT_THAT(hazards(), IsEmpty());
  set_sysctl("all", "src_valid_mark", 1);
  EXPECT_THAT(hazards(), ElementsAre(HasSubstr("`sysctl -w net.ipv4.conf.eth0.rp_filter=2`")));
  set_sysctl("all", "src_valid_mark", 0);
  set_sysctl("eth0", "src_valid_mark", 1);
  EXPECT_EQ(hazards().size(), 1U);
  follow_the_advice();
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_F(Sysctl, the_larger_rp_filter_of_all_and_the_interface_counts) {
  set_sysctl("all", "src_valid_mark", 1);
  set_sysctl("all", "rp_filter", 1);
  EXPECT_EQ(hazards().size(), 1U);
  set_sysctl("all", "rp_filter", 2);
  set_sysctl("eth0", "rp_filter", 1);
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_F(Sysctl, forwarding_must_be_on_where_clients_arrive_and_only_there) {
  set_sysctl("eth1", "forwarding", 0);
  EXPECT_THAT(hazards(), IsEmpty());
  set_sysctl("eth0", "forwarding", 0);
  EXPECT_THAT(hazards(), ElementsAre(AllOf(HasSubstr("Forwarding is off on eth0"),
                                           HasSubstr("`sysctl -w net.ipv4.conf.eth0.forwarding=1`"))));
  EXPECT_EQ(hazards({"eth0", "eth1"}).size(), 2U);
  follow_the_advice();
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_F(Sysctl, a_dot_in_an_interfaces_name_is_written_as_sysctl_wants_it) {
  run("ip link set eth1 name eth0.10");
  set_sysctl("eth0.10", "forwarding", 0);
  const std::vector<std::string> found = hazards({"eth0.10"});
  EXPECT_THAT(found, ElementsAre(HasSubstr("`sysctl -w net.ipv4.conf.eth0/10.forwarding=1`")));
}

TEST_F(Sysctl, an_interface_that_is_gone_has_no_hazards) { EXPECT_THAT(hazards({"gone0"}), IsEmpty()); }

TEST_F(Sysctl, the_calling_threads_namespace_is_asked) {
  run("iptables-legacy -P FORWARD DROP");
  nft("table ip n { chain pass { type filter hook forward priority 0; policy drop; }; }");
  set_sysctl("eth0", "forwarding", 0);
  std::vector<std::string> elsewhere;
  std::thread([&] {
    SetUp();
    elsewhere = hazards();
  }).join();
  EXPECT_THAT(elsewhere, IsEmpty());
  EXPECT_EQ(hazards().size(), 3U);
}

TEST_F(Rulesets, of_both_kinds_of_iptables_and_of_nft_are_read_side_by_side) {
  run("iptables-legacy -P FORWARD DROP");
  run("iptables-nft -t nat -A POSTROUTING -j MASQUERADE");
  std::ostringstream rules;
  for (int port = 1; port <= 50; ++port) rules << "tcp dport " << port << " accept;";
  nft("table inet t { chain pass { type filter hook forward priority 0; policy drop; " + rules.str() + " }; }");
  EXPECT_EQ(hazards().size(), 3U);
}

TEST_F(Rulesets, of_thousands_of_rules_are_read_again_when_they_have_changed) {
  std::ostringstream rules;
  for (int i = 0; i < 5000; ++i) rules << "ip saddr 10.0." << (i >> 8) << '.' << (i & 255) << " tcp dport 80 accept;";
  nft("table inet t { chain pass { type filter hook forward priority 0; policy drop; " + rules.str() + " }; }");
  EXPECT_EQ(hazards().size(), 1U);
  nft("add rule inet t pass oifname limpet0 accept");
  EXPECT_THAT(hazards(), IsEmpty());
}

TEST_F(Rulesets, with_a_huge_set_are_read) {
  std::ostringstream addresses;
  for (int i = 0; i < 100'000; ++i) {
    addresses << (i ? "," : "") << "10." << (i >> 16) << '.' << ((i >> 8) & 255) << '.' << (i & 255);
  }
  nft("table inet t { set banned { type ipv4_addr; elements = {" + addresses.str() +
      "}; }\n chain pass { type filter hook forward priority 0; policy drop; ip saddr @banned drop; }; }");
  EXPECT_EQ(hazards().size(), 1U);
}

}  // namespace
}  // namespace limpet::network
