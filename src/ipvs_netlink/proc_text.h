// SPDX-License-Identifier: Apache-2.0
// The files of /proc/net that ip_vs has, in the kernel's formats (ip_vs_ctl.c, ip_vs_conn.c), a piece at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "director/director.h"

namespace limpet::ipvs_netlink {

class ProcText {
 public:
  virtual ~ProcText() = default;
  // The next piece, some milliseconds' work, which may be empty; nullopt: the end.
  virtual std::optional<std::string> next() = 0;
};

// ip_vs, ip_vs_conn, ip_vs_conn_sync, ip_vs_stats, ip_vs_app. Not ip_vs_stats_percpu: the director keeps sums.
bool is_proc_file(std::string_view name);
// Precondition: is_proc_file(name).
std::unique_ptr<ProcText> proc_text(Director& director, std::string_view name);

// One row, or those of one service.
std::string service_rows(const ServiceView& view);
std::string connection_row(const ConnectionView& view);
std::string synchronised_connection_row(const ConnectionView& view);
std::string statistics_text(const Counters& counters, const Rates& rates);

}  // namespace limpet::ipvs_netlink
