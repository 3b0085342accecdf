// SPDX-License-Identifier: Apache-2.0
// Many commands as one: all are carried out, or none.
#pragma once

#include <cstddef>
#include <optional>

#include "model/result.h"

namespace limpet {

struct Refusal {
  Error error;
  std::optional<std::size_t> command;  // which one, counted from 0; nullopt: none of them is to blame
};

}  // namespace limpet
