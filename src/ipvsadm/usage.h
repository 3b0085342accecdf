// SPDX-License-Identifier: Apache-2.0
// What -h and -v print.
#pragma once

#include <string>

#include "ipvsadm/dialect.h"

namespace limpet::ipvsadm {

std::string version_text(const std::string& program, const Dialect& dialect);
std::string usage_text(const std::string& program, const Dialect& dialect);

}  // namespace limpet::ipvsadm
