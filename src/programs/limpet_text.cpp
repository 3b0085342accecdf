// SPDX-License-Identifier: Apache-2.0
// Tables, quantities, times and names for people.
#include "programs/limpet_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/session.h"

namespace limpet::text {
namespace {

constexpr std::size_t kGap = 2;

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string padded(const std::string& cell, std::size_t width, Table::Align align) {
  return align == Table::Align::left ? fmt::format("{:<{}}", cell, width) : fmt::format("{:>{}}", cell, width);
}

// The number with one decimal and the largest of the units that leaves it at least 1.
template <std::size_t N>
std::string scaled(std::uint64_t number, const std::array<const char*, N>& units) {
  double value = static_cast<double>(number);
  std::size_t unit = 0;
  // What would be rounded to 1000.0 is the next unit's already.
  for (; value >= 999.95 && unit + 1 < N; ++unit) value /= 1000;
  return fmt::format("{:.1f}{}", value, units[unit]);
}

std::string netmask(const Service& service) {
  if (service.key.family == Family::ipv6) return fmt::format("/{}", service.netmask);
  // Of the address of all ones, so that the network shows how much of an address counts.
  const std::string network = ipv4_network_text(Address::ipv4(~0U), service.netmask);
  return network.substr(std::min(network.find('/'), network.size()));
}

bool counts_whole_address(const Service& service) {
  return service.key.family == Family::ipv6 ? service.netmask == 128 : service.netmask == ~0U;
}

}  // namespace

std::string Table::to_string() const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = columns_[c].title.size();
    for (const auto& cells : rows_)
      if (c < cells.size()) width = std::max(width, cells[c].size());
    widths.push_back(width + (c == 0 ? 0 : kGap));
  }
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (columns_[c].align == Align::left && c > 0) line += std::string(kGap, ' ');
      const std::size_t width = widths[c] - (columns_[c].align == Align::left && c > 0 ? kGap : 0);
      line += padded(cell_of(c), width, columns_[c].align);
    }
    text += trimmed(std::move(line)) + "\n";
  };
  add_line([&](std::size_t c) { return columns_[c].title; });
  for (const auto& cells : rows_) add_line([&](std::size_t c) { return c < cells.size() ? cells[c] : std::string(); });
  return text;
}

std::string row(const std::vector<std::string>& cells, std::span<const std::size_t> widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += padded(cells[i], i < widths.size() ? widths[i] : 0, Table::Align::left);
    line += std::string(kGap, ' ');
  }
  return trimmed(std::move(line)) + "\n";
}

std::string count(std::uint64_t number) {
  constexpr std::uint64_t kExact = 99999;
  constexpr std::array<const char*, 7> kUnits = {"", "k", "M", "G", "T", "P", "E"};
  return number <= kExact ? std::to_string(number) : scaled(number, kUnits);
}

std::string counted(std::uint64_t number, const char* one, const char* many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

std::string bytes(std::uint64_t number) {
  constexpr std::array<const char*, 7> kUnits = {" B", " kB", " MB", " GB", " TB", " PB", " EB"};
  return number < 1000 ? fmt::format("{} B", number) : scaled(number, kUnits);
}

std::string clock(std::uint32_t seconds) {
  const std::uint32_t minutes = seconds / 60;
  if (minutes < 60) return fmt::format("{:02}:{:02}", minutes, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", minutes / 60, minutes % 60, seconds % 60);
}

std::string duration(std::uint32_t seconds) {
  const std::uint32_t minutes = seconds / 60;
  if (minutes == 0) return fmt::format("{} s", seconds);
  const bool in_hours = minutes >= 60;
  const std::string large = in_hours ? fmt::format("{} h", minutes / 60) : fmt::format("{} min", minutes);
  const std::uint32_t rest = in_hours ? minutes % 60 : seconds % 60;
  return rest == 0 ? large : fmt::format("{} {} {}", large, rest, in_hours ? "min" : "s");
}

std::string endpoint(const Address& address, Port port) {
  std::string text = endpoint_to_string(address, port);
  if (port.value == 0) text.back() = '*';
  return text;
}

std::string name(const ServiceKey& key) {
  if (key.is_mark()) return fmt::format("{}:{}", key.family == Family::ipv4 ? "fwm" : "fwm6", key.mark.value);
  std::string protocol(protocol_name(key.protocol));
  std::transform(protocol.begin(), protocol.end(), protocol.begin(),
                 [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  return protocol + ":" + endpoint(key.address, key.port);
}

std::string name(ForwardingMethod method) {
  switch (method) {
    case ForwardingMethod::masq:
      return "masq";
    case ForwardingMethod::local:
      return "local";
    case ForwardingMethod::tunnel:
      return "tunnel";
    case ForwardingMethod::route:
      break;
  }
  return "route";
}

std::string scheduling(const Service& service) {
  std::string text = service.scheduler;
  if (service.persistent) text += ", persistent " + duration(service.timeout);
  if (service.persistent && !counts_whole_address(service)) text += " per " + netmask(service);
  if (service.one_packet) text += ", one-packet";
  return text;
}

}  // namespace limpet::text
