// SPDX-License-Identifier: Apache-2.0
// The secret of the scheduler maglev: 128 bits as 32 hexadecimal digits in a file. Directors that share it, and have
// the same servers, send a client to the same one.
#pragma once

#include <filesystem>
#include <optional>

#include "dataplane/hash_key.h"
#include "model/result.h"

namespace limpet {

// Errors name the file: it cannot be read, or holds something else.
Result<dataplane::HashKey> read_maglev_key(const std::filesystem::path& file);

// The key in the state directory. Where there is none, `in_use`, that of an adopted data plane, is written there, else
// a new one. What cannot be read or written is logged and no reason not to start.
dataplane::HashKey keep_maglev_key(const std::filesystem::path& state_directory,
                                   const std::optional<dataplane::HashKey>& in_use);

}  // namespace limpet
