// SPDX-License-Identifier: Apache-2.0
// A path as a unix socket's address.
#pragma once

#include <sys/un.h>

#include <filesystem>

#include "model/result.h"

namespace limpet {

// Errors: invalid, longer than the 107 bytes that such an address holds.
Result<sockaddr_un> unix_address(const std::filesystem::path& path);

}  // namespace limpet
