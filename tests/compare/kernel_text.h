// SPDX-License-Identifier: Apache-2.0
// A command as ipvsadm tells it to a kernel by socket options, in hex: what the real one is to be compared by.
#pragma once

#include <optional>
#include <string>

#include "model/command.h"

namespace limpet::compare {

// nullopt: socket options cannot carry it (IPv6, persistence engines), and ipvsadm says so.
std::optional<std::string> kernel_text(const Command& command);

// The same without what means nothing to the kernel: a mark's protocol, all but the names where something is deleted.
std::string meaning(const std::string& kernel_text);

}  // namespace limpet::compare
