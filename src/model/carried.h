// SPDX-License-Identifier: Apache-2.0
// The one place that says which of IPVS's features the data plane carries today.
#pragma once

#include "model/command.h"
#include "model/result.h"

namespace limpet {

// Error not_supported, naming the feature, for a command whose result the data plane could not forward. Independent of
// Configuration::check, which knows all of IPVS. Deleting, flushing and zeroing are always carried.
Result<void> carried(const Command& command);

}  // namespace limpet
