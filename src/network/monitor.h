// SPDX-License-Identifier: Apache-2.0
// Tells that something about links, local addresses, routes or rules changed, so that the daemon reads it anew.
#pragma once

#include <cstddef>
#include <span>

#include "model/result.h"

namespace limpet::network {

struct Changes {
  bool links = false;
  bool addresses = false;  // of this host: addresses and prefixes of the local table
  bool routes = false;     // all others
  bool rules = false;

  bool any() const { return links || addresses || routes || rules; }
  Changes& operator|=(const Changes& other);
  bool operator==(const Changes&) const = default;
};

constexpr Changes kEverythingChanged{.links = true, .addresses = true, .routes = true, .rules = true};

// What a datagram of notifications says; bytes that are no netlink message say nothing.
Changes changes_in(std::span<const std::byte> datagram);

// A non-blocking netlink socket for an event loop.
class Monitor {
 public:
  static Result<Monitor> open();  // in the network namespace of the calling thread
  Monitor(Monitor&& other) noexcept;
  Monitor& operator=(Monitor&& other) noexcept;
  ~Monitor();

  int fd() const { return descriptor_; }  // readable: call read()
  // All that has arrived, taken together. Notifications the kernel had to drop count as a change of everything.
  Result<Changes> read();

 private:
  explicit Monitor(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace limpet::network
