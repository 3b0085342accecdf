// SPDX-License-Identifier: Apache-2.0
// What is measured: a row is a door in some state of the tables and the packets it gets, with the floor it is compared
// with. Each row has tables of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tables.h"
#include "traffic.h"

namespace limpet::bench {

struct RowSpec {
  std::string name;
  packet::Door door = packet::Door::kXdp;
  Clients clients;
  // Services and servers, before the first packet.
  std::function<void(packet::Tables&)> serve;
  // What every client sends once before the measuring begins; none: nothing is there yet.
  std::vector<packet::Packet> before;
  packet::Packet measured;
  bool reply = false;
  packet::Verdict verdict = packet::Verdict::kSent;
  // Every packet opens something: the tables are emptied after each run.
  bool opens = false;
  Floor floor = Floor::kHit;
  std::optional<double> target = std::nullopt;  // the ratio to reach
};

class Row {
 public:
  explicit Row(const RowSpec& spec);

  [[nodiscard]] const RowSpec& spec() const { return spec_; }
  // One round's nanoseconds a packet, of the floor with as many keys and of the door.
  double run_floor();
  double run_door();
  // Bytes of kernel memory that a connection took, in a row that opens them. Hash buckets come on top.
  [[nodiscard]] double bytes_per_connection();

 private:
  [[nodiscard]] std::uint32_t packets() const;
  void empty_tables();

  RowSpec spec_;
  packet::Plane plane_;
  packet::Tables tables_;
  Driver driver_;
};

std::vector<RowSpec> all_rows();

}  // namespace limpet::bench
