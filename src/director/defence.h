// SPDX-License-Identifier: Apache-2.0
// How far the defence of net.ipv4.vs.* goes at the moment: drop_entry, drop_packet and secure_tcp by what is left of
// memory and of the table of connections (ip_vs_ctl.c, update_defense_level()).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/tunables.h"

namespace limpet {

class Defence {
 public:
  struct Left {
    std::int64_t pages = 0;  // of memory, free and in buffers
    std::uint64_t flows = 0;
    std::uint64_t ceiling = 0;  // of flows
  };

  // Of the table of connections, this part is kept as amemthresh is of memory: IPVS' table has no ceiling but memory.
  static constexpr std::uint64_t kReserve = 16;

  // Call it every second, and when settings change.
  void update(const Tunables& wanted, const Left& left);

  // Settings as they are to be shown: what is automatic is 1 at rest and 2 in force.
  Tunables shown(Tunables wanted) const;
  bool drops_entries() const { return drop_entry_ > 1; }
  bool secures_tcp() const { return secure_tcp_ > 1; }
  // One new connection's packet of so many is dropped; 0: none.
  std::int32_t drop_rate() const { return drop_rate_; }
  bool drops_by_itself() const { return drop_packet_ == 2; }  // the rate is of this second
  std::string kinds() const;                                  // what is in force, by name
  // The same in plain words.
  std::vector<std::string> sentences() const;

 private:
  std::int32_t drop_entry_ = 0;
  std::int32_t drop_packet_ = 0;
  std::int32_t secure_tcp_ = 0;
  std::int32_t drop_rate_ = 0;
};

// The machine's free memory and buffers, in pages (si_meminfo()).
std::int64_t available_pages();

}  // namespace limpet
