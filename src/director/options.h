// SPDX-License-Identifier: Apache-2.0
// How limpetd is to run: from its command line and configuration file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "dataplane/object.h"
#include "model/tunables.h"

namespace limpet {

enum class DoorChoice { automatic, xdp, tc };

// A setting that a file asks for.
struct FileSetting {
  Setting setting;
  std::string source;     // "/etc/sysctl.d/50-ipvs.conf:3"
  bool may_fail = false;  // its line says so: nothing is logged
};

struct DirectorOptions {
  std::filesystem::path run_directory = "/run/limpet";        // socket, BPF file system, record of what was changed
  std::filesystem::path state_directory = "/var/lib/limpet";  // journal
  DoorChoice door = DoorChoice::automatic;
  std::map<std::string, DoorChoice> doors;  // of single interfaces, whether they are there or not; all others: `door`
  std::vector<std::string> interfaces;      // empty: every Ethernet interface, as it comes and goes
  bool first_packets_netfilter = false;     // first packets always pass the host's firewall
  dataplane::Ceilings ceilings;
  std::filesystem::path maglev_key_file;  // empty: the key is kept in the state directory
  std::vector<FileSetting> settings;      // the later one of a name wins
};

}  // namespace limpet
