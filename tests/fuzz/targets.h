// SPDX-License-Identifier: Apache-2.0
// What is fuzzed: any bytes as a command line, any bytes as rules to be restored. Each ends the process where a
// rejected input has changed the table; crashes, leaks and undefined behaviour are for the sanitizers to see.
#pragma once

#include <string_view>

namespace limpet::fuzz {

// Words end at line breaks; the first byte says by which name the program was called.
void read_command_line(std::string_view bytes);

// By -R, by -R --atomic, by ipvsadm -R and by ipvsadm-restore.
void read_rules(std::string_view bytes);

}  // namespace limpet::fuzz
