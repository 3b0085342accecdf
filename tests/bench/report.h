// SPDX-License-Identifier: Apache-2.0
// What came out: the table for people, the file for the next run.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "row.h"

namespace limpet::bench {

struct Measured {
  std::string name;
  std::string door;
  double floor = 0;  // nanoseconds a packet, medians of the rounds
  double time = 0;
  std::optional<double> target;
  [[nodiscard]] double ratio() const { return floor > 0 ? time / floor : 0; }
};

struct Memory {
  std::string name;
  double bytes = 0;  // a connection, hash buckets included
  double target = 0;
};

struct Report {
  double send = 0;  // bare XDP_TX, nanoseconds
  double hit = 0;   // parse and one hash hit, one key
  std::vector<Measured> rows;
  std::vector<Memory> memory;
};

// The ratios of an earlier report, by door and name. Throws with the file's name when it cannot be read.
using Ratios = std::map<std::string, double>;
Ratios read_ratios(const std::filesystem::path& file);

void print(const Report& report, const std::optional<Ratios>& against);
void write(const Report& report, const std::filesystem::path& file);

}  // namespace limpet::bench
