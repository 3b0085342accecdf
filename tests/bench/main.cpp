// SPDX-License-Identifier: Apache-2.0
// The bench: nanoseconds a packet through the doors that ship, as ratios to floors taken in the same run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <memory>
#include <regex>

#include "report.h"
#include "world.h"

namespace limpet::bench {
namespace {

constexpr double kBytesPerBucket = 16;  // as many buckets as the table's ceiling, from the start on

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Rounds {
  std::unique_ptr<Row> row;
  std::vector<double> floor, door;
};

// Every row once in each round, floor and door next to each other, so that what else the machine does meets all alike.
std::vector<Measured> measure(std::vector<Rounds>& all, unsigned rounds) {
  for (unsigned round = 0; round < rounds; round++) {
    for (Rounds& r : all) {
      r.floor.push_back(r.row->run_floor());
      r.door.push_back(r.row->run_door());
    }
  }
  std::vector<Measured> measured;
  for (const Rounds& r : all) {
    const RowSpec& spec = r.row->spec();
    measured.push_back({spec.name, name_of(spec.door), median(r.floor), median(r.door), spec.target});
  }
  return measured;
}

// The first row's tables stay until the second is measured, or their memory would be used again.
std::vector<Memory> measure_memory() {
  std::vector<Memory> out;
  std::vector<std::unique_ptr<Row>> kept;
  const auto measure_one = [&](const RowSpec& spec, const char* name, double buckets, double target) {
    kept.push_back(std::make_unique<Row>(spec));
    out.push_back({name, kept.back()->bytes_per_connection() + buckets * kBytesPerBucket, target});
  };
  for (const RowSpec& spec : all_rows()) {
    if (spec.door != packet::Door::kXdp) continue;
    if (spec.name == "new TCP connection") measure_one(spec, "routed", 1, 160);
    if (spec.name == "new TCP connection, masqueraded") measure_one(spec, "masqueraded", 2, 300);
  }
  return out;
}

// The first row's packets through floors of one key, for orientation.
void measure_floors(Report& report, unsigned rounds) {
  RowSpec spec = all_rows().front();
  std::vector<double> send, hit;
  spec.floor = Floor::kSend;
  Row bare(spec);
  spec.floor = Floor::kHit;
  Row one(spec);
  for (unsigned round = 0; round < rounds; round++) {
    send.push_back(bare.run_floor());
    hit.push_back(one.run_floor());
  }
  report.send = median(send);
  report.hit = median(hit);
}

int run(int argc, char** argv) {
  CLI::App app{"Measures the data plane's doors by BPF_PROG_TEST_RUN, in a network namespace of its own."};
  unsigned rounds = 15;
  std::string json, against, rows = ".*";
  app.add_option("--rounds", rounds, "Interleaved rounds; the medians are shown")->check(CLI::Range(1, 1000));
  app.add_option("--json", json, "Write the results to this file as well")->type_name("FILE");
  app.add_option("--against", against, "Compare with the results of an earlier build")->type_name("FILE");
  app.add_option("ROWS", rows, "A regular expression: only the rows whose \"door: name\" it finds");
  CLI11_PARSE(app, argc, argv);

  const std::optional<Ratios> before = against.empty() ? std::nullopt : std::optional(read_ratios(against));
  packet::World::instance();
  const packet::OnOneCpu here(0);
  Report report;
  if (rows == ".*") report.memory = measure_memory();  // first: what rows leave behind is freed when the kernel likes
  const std::regex wanted(rows);
  std::vector<Rounds> all;
  fmt::print(stderr, "preparing the rows\n");
  for (const RowSpec& spec : all_rows()) {
    if (!std::regex_search(name_of(spec.door) + ": " + spec.name, wanted)) continue;
    all.push_back({std::make_unique<Row>(spec), {}, {}});
  }
  report.rows = measure(all, rounds);
  all.clear();
  measure_floors(report, rounds);
  print(report, before);
  if (!json.empty()) write(report, json);
  return 0;
}

}  // namespace
}  // namespace limpet::bench

int main(int argc, char** argv) try { return limpet::bench::run(argc, argv); } catch (const std::exception& failure) {
  fmt::print(stderr, "\nlimpet_bench: {}\n", failure.what());
  return 1;
}
