// SPDX-License-Identifier: Apache-2.0
// Namespaces by unshare(2): a new one for each test, gone when the next test or the end of the process leaves it.
#include "fixture.h"

#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "network/firewall_check.h"

namespace limpet::network {

void FirewallTest::SetUp() {
  ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
  run("ip link set lo up");
  run("ip link add eth0 type veth peer name eth1");
  run("ip link add limpet0 type veth peer name limpet1");
  for (const std::string interface : {"all", "eth0", "eth1"}) {
    set_sysctl(interface, "forwarding", 1);
    set_sysctl(interface, "rp_filter", 0);
    set_sysctl(interface, "src_valid_mark", 0);
  }
}

void FirewallTest::run(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(concurrency-mt-unsafe)
}

void FirewallTest::nft(const std::string& ruleset) {
  std::FILE* input = ::popen("nft -f -", "w");
  ASSERT_NE(input, nullptr);
  std::fputs((ruleset + '\n').c_str(), input);
  ASSERT_EQ(::pclose(input), 0) << ruleset.substr(0, 4096);
}

void FirewallTest::set_sysctl(const std::string& interface, const std::string& key, int value) {
  std::ofstream file("/proc/sys/net/ipv4/conf/" + interface + '/' + key);
  file << value << std::flush;
  ASSERT_TRUE(file) << interface << ' ' << key;
}

std::vector<std::string> FirewallTest::hazards(const std::vector<std::string>& ingress) {
  std::vector<std::string> texts;
  for (const FirewallHazard& hazard : find_mark_hazards(ingress)) texts.push_back(hazard.text);
  return texts;
}

void FirewallTest::follow_the_advice() {
  const std::vector<std::string> found = hazards();
  ASSERT_EQ(found.size(), 1U);
  const std::size_t begin = found[0].find("run `") + std::string("run `").size();
  run(found[0].substr(begin, found[0].find('`', begin) - begin) + " >/dev/null");
}

}  // namespace limpet::network
