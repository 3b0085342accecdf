// SPDX-License-Identifier: Apache-2.0
// The distribution's ipvsadm, in front of a kernel that is made up (sockopt_preload.cpp) or of limpetd's netlink
// server.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace limpet::compare {

struct RealOutcome {
  std::string out;  // only of run_through_limpet()
  std::string err;
  int exit_code = -1;
  std::vector<std::string> set;  // what it would have told the kernel: "OPTION HEX"
};

RealOutcome run_real(const std::vector<std::string>& words);
// Through liblimpet-ipvs.so to the socket in the run directory.
RealOutcome run_through_limpet(const std::vector<std::string>& words, const std::filesystem::path& run_directory);

}  // namespace limpet::compare
