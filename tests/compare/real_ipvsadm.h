// SPDX-License-Identifier: Apache-2.0
// The distribution's ipvsadm, in front of a kernel that is made up (sockopt_preload.cpp).
#pragma once

#include <string>
#include <vector>

namespace limpet::compare {

struct RealOutcome {
  std::string err;
  int exit_code = -1;
  std::vector<std::string> set;  // what it would have told the kernel: "OPTION HEX"
};

RealOutcome run_real(const std::vector<std::string>& words);

}  // namespace limpet::compare
