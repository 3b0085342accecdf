// SPDX-License-Identifier: Apache-2.0
// What limpet's pages are made of: tables, quantities, times and names for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/service.h"

namespace limpet::text {

// Columns as wide as their widest cell, two blanks between them, nothing at the end of a line.
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }  // as many cells as columns, or fewer
  std::string to_string() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// One row of a page whose other rows are not known yet: a cell longer than its column pushes the rest to the right.
std::string row(const std::vector<std::string>& cells, std::span<const std::size_t> widths);

std::string count(std::uint64_t number);  // "99999", "123.5k", "4.1M": exact up to five digits
std::string counted(std::uint64_t number, const char* one, const char* many);  // "1 server", "2 servers"
std::string bytes(std::uint64_t number);      // "999 B", "1.5 kB", "2.0 GB": by thousands
std::string clock(std::uint32_t seconds);     // "14:59", "2:30:00"
std::string duration(std::uint32_t seconds);  // "45 s", "9 min 58 s", "10 min", "2 h 5 min"

std::string name(const ServiceKey& key);    // "tcp:192.0.2.1:80", "tcp:192.0.2.1:*", "fwm:10": as --service takes it
std::string name(ForwardingMethod method);  // "route"
std::string endpoint(const Address& address, Port port);  // "192.0.2.1:80", "192.0.2.1:*" for port 0
// "rr", "wlc, persistent 10 min", "rr, persistent 6 min per /24": how a service chooses.
std::string scheduling(const Service& service);

}  // namespace limpet::text
