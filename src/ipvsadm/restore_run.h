// SPDX-License-Identifier: Apache-2.0
// `-R`: the commands of a text, one after another as ipvsadm does it, or all as one.
#pragma once

#include <iosfwd>

#include "ipvsadm/carry_out.h"

namespace limpet::ipvsadm {

// Goes on after a refusal and ends at a mistake; what ran before stays. The exit code is that of the last line.
int restore(const Surroundings& in, std::istream& text);

// All lines or none. What is wrong is said with the number and the text of its line.
int restore_atomically(const Surroundings& in, std::istream& text);

}  // namespace limpet::ipvsadm
