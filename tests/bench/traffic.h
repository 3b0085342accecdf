// SPDX-License-Identifier: Apache-2.0
// The driver of bench.bpf.c: packets of many clients into one program, and how long each took.
#pragma once

#include <cstdint>
#include <memory>

#include "bench.h"
#include "frame.h"
#include "plane.h"

struct bench_bpf;

namespace limpet::bench {

// Whose packets a row sends.
struct Clients {
  std::uint32_t count = 1;      // a power of two
  std::uint32_t port_bits = 0;  // of the client's number; the rest goes into the address
  const char* first_address = "10.0.0.1";
  bool scattered = true;  // neighbouring turns are far apart in every table
};

enum class Floor { kSend, kHit, kInsert };

class Driver {
 public:
  Driver(packet::Door door, packet::Packet frame, Clients clients, bool reply);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void test(int program);
  void test(Floor floor);
  void send(packet::Packet frame);  // from now on

  // Nanoseconds a packet, driver included. Throws if the last packet's verdict is not `expected`.
  double run(std::uint32_t packets, packet::Verdict expected);
  // As many turns as there are clients.
  void everyone_once(packet::Verdict expected);

  // The floors' table: one entry for each client, as their packets come; or none.
  void fill_floor();
  void clear_floor() const;

 private:
  [[nodiscard]] int map_fd(const char* name) const;

  packet::Door door_;
  Clients clients_;
  bench_bpf* skeleton_;
  bench_traffic* traffic_;
  packet::Bytes frame_;
};

// Empties a hash faster than one call an entry.
void clear_hash(int map, std::size_t key_size, std::size_t value_size);

}  // namespace limpet::bench
