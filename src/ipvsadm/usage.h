// SPDX-License-Identifier: Apache-2.0
// What -h and -v print.
#pragma once

#include <string>

namespace limpet::ipvsadm {

std::string version_text(const std::string& program);
std::string usage_text(const std::string& program);

}  // namespace limpet::ipvsadm
