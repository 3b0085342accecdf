// SPDX-License-Identifier: Apache-2.0
// errno as an Error.
#include "model/result.h"

#include <system_error>

namespace limpet {

Error system_error(const std::string& what, int error_number) {
  return {ErrorCode::internal, what + ": " + std::generic_category().message(error_number)};
}

}  // namespace limpet
