// SPDX-License-Identifier: Apache-2.0
// Columns of the listings: text to the left, numbers to either side, and ipvsadm's abbreviated counters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace limpet::ipvsadm {

std::string left(std::string text, std::size_t width);
std::string left(std::uint64_t value, std::size_t width);
std::string right(const std::string& text, std::size_t width);
// Nine columns: plain below 10^8, else in thousands (K), millions (M), ... ; with `exact` all digits and wider if need
// be.
std::string counter(std::uint64_t value, bool exact);

}  // namespace limpet::ipvsadm
