// SPDX-License-Identifier: Apache-2.0
// Makes the namespace and everything in it.
#include "world.h"

#include <net/if.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <system_error>

namespace limpet::packet {
namespace {

int ip_status(const std::string& arguments) { return std::system(("ip " + arguments).c_str()); }

void sysctl(const std::string& path, const std::string& value) {
  std::ofstream file("/proc/sys/net/ipv4/conf/" + path);
  file << value << std::flush;
  if (!file) throw std::runtime_error("cannot set " + path);
}

unsigned index_of(const char* name) {
  const unsigned index = if_nametoindex(name);
  if (index == 0) throw std::system_error(errno, std::generic_category(), name);
  return index;
}

}  // namespace

World& World::instance() {
  static World world;
  return world;
}

void World::ip_command(const std::string& arguments) {
  if (ip_status(arguments) != 0) throw std::runtime_error("ip " + arguments);
}

World::World() {
  if (unshare(CLONE_NEWNET) != 0) {
    throw std::system_error(errno, std::generic_category(), "a network namespace (are you root?)");
  }
  for (const char* command : {
           "link set lo up",
           "link add eth0 address 02:00:00:00:00:10 type veth peer name peer0",
           "link add eth1 address 02:00:00:00:00:11 type veth peer name peer1",
           "link add limpet0 mtu 65535 type veth peer name limpet1 mtu 65535",
           "link set limpet0 arp off up",
           "link set limpet1 arp off up",
           "link set peer0 up",
           "link set peer1 up",
           "link set eth0 up",
           "link set eth1 up",
           "addr add 192.168.2.10/24 dev eth0",
           "addr add 192.168.2.11/32 dev eth0",
           "addr add 192.168.2.12/32 dev eth0",
           "addr add 192.168.3.10/24 dev eth1",
           "neigh add 192.168.2.1 lladdr 02:00:00:00:00:01 nud permanent dev eth0",
           "neigh add 192.168.2.20 lladdr 02:00:00:00:00:20 nud permanent dev eth0",
           "neigh add 192.168.2.30 lladdr 02:00:00:00:00:30 nud permanent dev eth0",
           "neigh add 192.168.2.40 lladdr 02:00:00:00:00:40 nud permanent dev eth0",
           "neigh add 192.168.3.20 lladdr 02:00:00:00:00:23 nud permanent dev eth1",
           "route add default via 192.168.2.1",
       }) {
    ip_command(command);
  }
  sysctl("limpet0/forwarding", "1");
  eth0_ = index_of("eth0");
  eth1_ = index_of("eth1");
  limpet0_ = index_of("limpet0");
}

Temporarily::~Temporarily() {
  if (ip_status(later_) != 0) std::cerr << "cannot undo: ip " << later_ << '\n';
}

OnOneCpu::OnOneCpu(unsigned cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  sched_getaffinity(0, sizeof(before_), &before_);
  sched_setaffinity(0, sizeof(one), &one);
}

OnOneCpu::~OnOneCpu() { sched_setaffinity(0, sizeof(before_), &before_); }

}  // namespace limpet::packet
