// SPDX-License-Identifier: Apache-2.0
// Padding and the thresholds at which ipvsadm changes a counter's unit.
#include "ipvsadm/text_columns.h"

#include <algorithm>

namespace limpet::ipvsadm {
namespace {

constexpr std::uint64_t kThousand = 1000;
constexpr std::uint64_t kMillion = kThousand * kThousand;
constexpr std::uint64_t kBillion = kThousand * kMillion;
constexpr std::uint64_t kTrillion = kThousand * kBillion;

}  // namespace

std::string left(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string left(std::uint64_t value, std::size_t width) { return left(std::to_string(value), width); }

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string counter(std::uint64_t value, bool exact) {
  if (exact) {
    const auto digits = std::to_string(value);
    return right(digits, std::max<std::size_t>(9, digits.size() + 1));
  }
  if (value < 100 * kMillion) return right(std::to_string(value), 9);
  if (value < kBillion) return right(std::to_string(value / kThousand), 8) + 'K';
  if (value < 100 * kBillion) return right(std::to_string(value / kMillion), 8) + 'M';
  if (value < 100 * kTrillion) return right(std::to_string(value / kBillion), 8) + 'G';
  return right(std::to_string(value / kTrillion), 8) + 'T';
}

}  // namespace limpet::ipvsadm
