// SPDX-License-Identifier: Apache-2.0
// A configuration on its way into the tables, service by service.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/configuration.h"
#include "model/result.h"

namespace limpet {

struct Rollout {
  Configuration before;
  std::uint64_t generation = 0;  // of the configuration that is rolled out
  std::vector<ServiceKey> touched;
  std::size_t next = 0;          // of touched
  std::optional<Error> failure;  // why it is being rolled back, or could not be
  bool done = false;
};

}  // namespace limpet
