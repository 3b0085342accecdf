// SPDX-License-Identifier: Apache-2.0
// The settings net.ipv4.vs.*, as values: names, defaults and ranges are the kernel's (ip_vs_ctl.c, vs_vars). A new one
// that the data plane carries is one line of kTunables.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.h"

namespace limpet {

inline constexpr std::string_view kTunablePrefix = "net.ipv4.vs.";

struct Tunable {
  std::string_view name;  // behind kTunablePrefix
  std::int32_t initial = 0;
  std::int32_t least = std::numeric_limits<std::int32_t>::min();  // below it and above `most`: EINVAL
  std::int32_t most = std::numeric_limits<std::int32_t>::max();
};

// By name.
inline constexpr std::array<Tunable, 12> kTunables{{
    {"am_droprate", 10},               // drop_packet 3: one packet of so many
    {"amemthresh", 1024},              // pages of free memory below which defences begin that are 1 or 2
    {"cache_bypass", 0},               // what no server of a mark service takes goes to the address it was sent to
    {"conn_reuse_mode", 1},            // bits: a SYN begins a closed connection anew; one in FIN_WAIT as well (2)
    {"drop_entry", 0, 0, 3},           // 0 never, 1 and 2 while memory is short, 3 always
    {"drop_packet", 0, 0, 3},          // the same
    {"expire_nodest_conn", 0},         // a removed server's connections end
    {"expire_quiescent_template", 0},  // a template whose server has weight 0 is given up
    // Seconds; the kernel takes 0 and less as well, and would forget at once.
    {"lblc_expiration", 86400, 1, 8589934},   // an address that lblc was not asked for is forgotten
    {"lblcr_expiration", 86400, 1, 8589934},  // ... lblcr; and a set of servers that has not changed loses one
    {"secure_tcp", 0, 0, 3},                  // as drop_entry
    {"sloppy_tcp", 0},                        // any TCP packet opens a connection
}};

// What a name stands for in kTunables; an unknown one does not compile.
consteval std::size_t tunable(std::string_view name) {
  for (std::size_t i = 0; i < kTunables.size(); ++i)
    if (kTunables[i].name == name) return i;
  throw "there is no such tunable";
}

// nullopt: none of kTunables.
std::optional<std::size_t> tunable_index(std::string_view name);

class Tunables {
 public:
  constexpr Tunables() {
    for (std::size_t i = 0; i < kTunables.size(); ++i) values_[i] = kTunables[i].initial;
  }
  std::int32_t operator[](std::size_t index) const { return values_[index]; }
  std::int32_t& operator[](std::size_t index) { return values_[index]; }

  bool operator==(const Tunables&) const = default;

 private:
  std::array<std::int32_t, kTunables.size()> values_{};
};

// A name behind kTunablePrefix and a value as text: what is asked for, and what is shown.
struct Setting {
  std::string name;
  std::string value;
  bool operator==(const Setting&) const = default;
};

// Whether the kernel would take it, and whether it would mean something here. Errors: no_such_setting, invalid (no
// number, out of range), not_supported (with the reason; the default is taken).
Result<void> check(const Setting& setting);
// Precondition: check(setting) succeeded.
void apply(const Setting& setting, Tunables& tunables);
// All of them by name, those that mean nothing here with their defaults.
std::vector<Setting> all_settings(const Tunables& tunables);
// Those that are not the defaults.
std::vector<Setting> changed_settings(const Tunables& tunables);

}  // namespace limpet
