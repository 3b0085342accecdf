// SPDX-License-Identifier: Apache-2.0
// How far a server is drained, and when it will be. No I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "model/session.h"

namespace limpet {

class DrainProgress {
 public:
  struct Left {
    std::uint64_t active = 0;  // connections
    std::uint64_t inactive = 0;
    std::uint64_t clients = 0;  // persistent ones

    std::uint64_t connections() const { return active + inactive; }
  };

  // `clients_too`: it is drained when persistent clients have gone as well.
  explicit DrainProgress(bool clients_too) : clients_too_(clients_too) {}

  // What is left at a time (seconds since the beginning, growing).
  void add(double at, const Left& left);
  // How long idle ones would last, seen at that time.
  void add_deadlines(double at, const Remaining& remaining);

  bool is_drained() const { return waited_for() == 0; }
  // Seconds at the pace of the last minute; nullopt: too early to say, or there is no decline.
  std::optional<std::uint32_t> seconds_to_go() const;

  // "38 connections (30 active), 6 persistent clients"
  std::string left() const;
  // "about 2 min at this pace; idle ones end within 14 min 59 s"; empty: nothing can be said.
  std::string estimate() const;
  std::string line() const;                         // without a terminal
  std::string bar_line(std::size_t columns) const;  // for a terminal of that width

 private:
  struct Sample {
    double at = 0;
    std::uint64_t count = 0;
  };
  std::uint64_t waited_for() const { return left_.connections() + (clients_too_ ? left_.clients : 0); }

  bool clients_too_;
  Left left_;
  double at_ = 0;
  std::uint64_t most_ = 0;
  std::deque<Sample> samples_;  // of the last minute
  double idle_end_ = 0;         // when the last one would have ended
};

}  // namespace limpet
