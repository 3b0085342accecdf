// SPDX-License-Identifier: Apache-2.0
// The network namespace the packet tests live in: a director with eth0 and limpet0, its servers' and gateway's
// neighbours.
#pragma once

#include <sched.h>

#include <string>

#include "frame.h"

namespace limpet::packet {

inline const std::string kDirector = "192.168.2.10";
inline const std::string kVip = "192.168.2.11";
inline const std::string kOtherVip = "192.168.2.12";
inline const std::string kServerA = "192.168.2.20";
inline const std::string kServerB = "192.168.2.30";
inline const std::string kServerC = "192.168.2.40";
inline const std::string kSilentServer = "192.168.2.50";  // on the link, its neighbour entry unresolved

inline constexpr Mac kDirectorMac = {2, 0, 0, 0, 0, 0x10};
inline constexpr Mac kGatewayMac = {2, 0, 0, 0, 0, 0x01};
inline constexpr Mac kServerAMac = {2, 0, 0, 0, 0, 0x20};
inline constexpr Mac kServerBMac = {2, 0, 0, 0, 0, 0x30};
inline constexpr Mac kServerCMac = {2, 0, 0, 0, 0, 0x40};
inline constexpr Mac kStrangerMac = {2, 0, 0, 0, 0, 0x99};

// Moves the process into a namespace of its own, once; every interface and route goes with the process.
class World {
 public:
  static World& instance();

  [[nodiscard]] unsigned eth0() const { return eth0_; }
  [[nodiscard]] unsigned eth1() const { return eth1_; }
  [[nodiscard]] unsigned limpet0() const { return limpet0_; }

  // Runs `ip ARGUMENTS`; throws if it fails.
  static void ip_command(const std::string& arguments);

 private:
  World();

  unsigned eth0_ = 0;
  unsigned eth1_ = 0;
  unsigned limpet0_ = 0;
};

// Does something with `ip` and undoes it at the end of the test.
class Temporarily {
 public:
  Temporarily(const std::string& now, std::string later) : later_(std::move(later)) { World::ip_command(now); }
  ~Temporarily();
  Temporarily(const Temporarily&) = delete;
  Temporarily& operator=(const Temporarily&) = delete;

 private:
  std::string later_;
};

// Keeps the calling thread on one CPU for a while: what the data plane counts per CPU can then be foretold.
class OnOneCpu {
 public:
  explicit OnOneCpu(unsigned cpu);
  ~OnOneCpu();
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;

 private:
  cpu_set_t before_{};
};

}  // namespace limpet::packet
