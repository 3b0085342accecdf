// SPDX-License-Identifier: Apache-2.0
// What `-S` prints: commands that `-R` reads back.
#pragma once

#include <string>

#include "ipvsadm/names.h"
#include "model/view.h"

namespace limpet::ipvsadm {

// The commands that add `service` and its servers. Like ipvsadm, thresholds are not saved.
std::string saved_service(const ServiceView& service, bool numeric, const Names& names);

}  // namespace limpet::ipvsadm
