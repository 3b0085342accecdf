// SPDX-License-Identifier: Apache-2.0
// What `-S` prints: commands that `-R` reads back.
#pragma once

#include <string>

#include "ipvsadm/dialect.h"
#include "ipvsadm/names.h"
#include "model/view.h"

namespace limpet::ipvsadm {

// The commands that add `service` and its servers.
std::string saved_service(const ServiceView& service, bool numeric, const Names& names, const Dialect& dialect);

}  // namespace limpet::ipvsadm
