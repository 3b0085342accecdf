// SPDX-License-Identifier: Apache-2.0
// The page of `limpet services`.
#pragma once

#include <string>
#include <vector>

#include "model/view.h"

namespace limpet {

// Services by name, each with its servers in the order in which the scheduler has them.
std::string services_page(std::vector<ServiceView> services);

}  // namespace limpet
