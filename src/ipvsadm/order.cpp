// SPDX-License-Identifier: Apache-2.0
// Wrapping comparisons are not transitive, so what comes out depends on the algorithm too: a top-down merge sort that
// splits in the middle, as glibc's qsort() was when ipvsadm's listings became what people compare with.
#include "ipvsadm/order.h"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace limpet::ipvsadm {
namespace {

std::int32_t difference(std::uint32_t left, std::uint32_t right) { return static_cast<std::int32_t>(left - right); }

std::uint32_t word(const Address& address, std::size_t index) {
  const auto& bytes = address.bytes();
  std::uint32_t value = 0;
  for (std::size_t i = 4 * index; i < 4 * index + 4; ++i) value = value << 8 | bytes[i];
  return value;
}

std::int32_t compare(const Address& left, const Address& right) {
  const std::size_t words = left.family() == Family::ipv4 ? 1 : 4;
  for (std::size_t i = 0; i < words; ++i) {
    if (const auto order = difference(word(left, i), word(right, i)); order != 0) return order;
  }
  return 0;
}

std::int32_t compare(const ServiceView& left, const ServiceView& right) {
  const auto& a = left.service.key;
  const auto& b = right.service.key;
  if (const auto order = difference(a.mark.value, b.mark.value); order != 0) return order;
  if (a.family != b.family) return static_cast<int>(a.family) - static_cast<int>(b.family);
  if (a.protocol != b.protocol) return static_cast<int>(a.protocol) - static_cast<int>(b.protocol);
  if (const auto order = compare(a.address, b.address); order != 0) return order;
  return a.port.value - b.port.value;
}

std::int32_t compare(const DestinationView& left, const DestinationView& right) {
  const auto& a = left.destination.key;
  const auto& b = right.destination.key;
  if (a.address.family() != b.address.family()) {
    return static_cast<int>(a.address.family()) - static_cast<int>(b.address.family());
  }
  if (const auto order = compare(a.address, b.address); order != 0) return order;
  return a.port.value - b.port.value;
}

template <class Item>
void merge_sort(std::vector<const Item*>& items, std::vector<const Item*>& spare, std::size_t begin, std::size_t end) {
  if (end - begin < 2) return;
  const auto middle = begin + (end - begin) / 2;
  merge_sort(items, spare, begin, middle);
  merge_sort(items, spare, middle, end);
  auto left = begin;
  auto right = middle;
  for (auto to = begin; to < end; ++to) {
    const bool from_left = right == end || (left < middle && compare(*items[left], *items[right]) <= 0);
    spare[to] = items[from_left ? left++ : right++];
  }
  for (auto at = begin; at < end; ++at) items[at] = spare[at];
}

// The same order without the wrapping.
bool before(const ServiceView* left, const ServiceView* right) {
  const auto& a = left->service.key;
  const auto& b = right->service.key;
  return std::tie(a.mark, a.family, a.protocol, a.address, a.port) <
         std::tie(b.mark, b.family, b.protocol, b.address, b.port);
}
bool before(const DestinationView* left, const DestinationView* right) {
  return left->destination.key < right->destination.key;
}

template <class Item>
void sort_items(std::vector<const Item*>& items, const Dialect& dialect) {
  if (!dialect.wrapping_order) {
    std::stable_sort(items.begin(), items.end(),
                     [](const Item* left, const Item* right) { return before(left, right); });
    return;
  }
  std::vector<const Item*> spare(items.size());
  merge_sort(items, spare, 0, items.size());
}

}  // namespace

void sort_services(std::vector<const ServiceView*>& services, const Dialect& dialect) { sort_items(services, dialect); }
void sort_destinations(std::vector<const DestinationView*>& destinations, const Dialect& dialect) {
  sort_items(destinations, dialect);
}

}  // namespace limpet::ipvsadm
