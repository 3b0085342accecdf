// SPDX-License-Identifier: Apache-2.0
// Asks the data plane's own code where a connection would go. Nothing in the tables changes by it.
#pragma once

#include "dataplane/object.h"
#include "model/explanation.h"
#include "model/result.h"

namespace limpet::dataplane {

// All but what only the configuration knows: the scheduler's name, and which servers have weight 0.
// Precondition: both addresses are IPv4.
Result<Explanation> explain(Object& object, const ExplainQuestion& question);

}  // namespace limpet::dataplane
