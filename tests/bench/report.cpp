// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>

namespace limpet::bench {
namespace {

std::string key_of(const std::string& door, const std::string& name) { return door + ": " + name; }

std::string change_text(const Measured& row, const Ratios& before) {
  const auto found = before.find(key_of(row.door, row.name));
  if (found == before.end() || found->second == 0) return "  new";
  return fmt::format("  {:+.0f} %", 100 * (row.ratio() / found->second - 1));
}

std::string target_text(double value, double target, const char* format) {
  return fmt::format(fmt::runtime(format), target) + (value <= target ? "" : "  missed");
}

}  // namespace

Ratios read_ratios(const std::filesystem::path& file) {
  std::ifstream in(file);
  const auto document = nlohmann::json::parse(in, nullptr, false);
  if (document.is_discarded() || !document.contains("rows"))
    throw std::runtime_error(file.native() + ": not a report of this bench");
  Ratios ratios;
  for (const auto& row : document.at("rows"))
    ratios[key_of(row.at("door"), row.at("name"))] = row.at("ratio").get<double>();
  return ratios;
}

void print(const Report& report, const std::optional<Ratios>& against) {
  fmt::print("\nbare XDP_TX {:.0f} ns, parse and one hash hit {:.0f} ns (driver included, as in every row)\n\n",
             report.send, report.hit);
  fmt::print("{:<5}{:<46}{:>9}{:>9}{:>7}  {}\n", "door", "packet", "floor ns", "door ns", "ratio", "at most");
  for (const Measured& row : report.rows) {
    fmt::print("{:<5}{:<46}{:>9.0f}{:>9.0f}{:>7.2f}  {}{}\n", row.door, row.name, row.floor, row.time, row.ratio(),
               row.target ? target_text(row.ratio(), *row.target, "{:.2f}") : "-",
               against ? change_text(row, *against) : "");
  }
  for (const Memory& memory : report.memory) {
    fmt::print("memory of a {} connection: {:.0f} bytes, at most {}\n", memory.name, memory.bytes,
               target_text(memory.bytes, memory.target, "{:.0f}"));
  }
}

void write(const Report& report, const std::filesystem::path& file) {
  nlohmann::ordered_json document;
  document["send_ns"] = report.send;
  document["hit_ns"] = report.hit;
  for (const Measured& row : report.rows) {
    auto& out = document["rows"].emplace_back();
    out = {{"door", row.door}, {"name", row.name}, {"floor_ns", row.floor}, {"ns", row.time}, {"ratio", row.ratio()}};
    if (row.target) out["target"] = *row.target;
  }
  for (const Memory& memory : report.memory)
    document["memory"].push_back({{"name", memory.name}, {"bytes", memory.bytes}, {"target", memory.target}});
  std::ofstream out(file);
  out << document.dump(2) << '\n';
  out.flush();
  if (!out) throw std::runtime_error("cannot write " + file.native());
}

}  // namespace limpet::bench
