// SPDX-License-Identifier: Apache-2.0
// ipvsadm's commands and options: their spellings, the names its messages use, and which option goes with which
// command.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ipvsadm/dialect.h"
#include "ipvsadm/option_scanner.h"
#include "ipvsadm/parse_result.h"

namespace limpet::ipvsadm {

// In the order of ipvsadm's own table, in which conflicts are looked for and so decide which message comes.
enum class Option : std::uint8_t {
  numeric,
  connection,
  service_address,
  scheduler,
  persistent,
  netmask,
  real_server,
  forwarding_method,
  weight,
  u_threshold,
  l_threshold,
  mcast_interface,
  timeout,
  daemon,
  stats,
  rate,
  thresholds,
  persistent_conn,
  nosort,
  syncid,
  exact,
  ops,
  pe,
  sched_flags,
  mcast_group,
  mcast_port,
  mcast_ttl,
  sync_maxlen,
  tun_info,
  tun_type,
  tun_port,
  tun_nocsum,
  tun_csum,
  tun_remcsum,
  atomic,  // limpetadm's own
};
constexpr std::size_t kOptionCount = 35;

enum class CommandName : std::uint8_t {
  add_service,
  edit_service,
  delete_service,
  flush,
  list,
  add_server,
  delete_server,
  edit_server,
  set,
  start_daemon,
  stop_daemon,
  restore,
  save,
  zero,
};

// The options given so far.
class OptionSet {
 public:
  bool has(Option option) const { return (bits_ & bit(option)) != 0; }
  void add(Option option) { bits_ |= bit(option); }

 private:
  static std::uint64_t bit(Option option) { return std::uint64_t{1} << static_cast<unsigned>(option); }
  std::uint64_t bits_ = 0;
};

// What a scanned option is: its id in option_specs(). Several spellings may share an Option.
enum class Token : int {
  add_service,
  edit_service,
  delete_service,
  clear,
  list,
  zero,
  add_server,
  edit_server,
  delete_server,
  set,
  start_daemon,
  stop_daemon,
  restore,
  save,
  help,
  version,
  tcp_service,
  udp_service,
  sctp_service,
  fwmark_service,
  scheduler,
  persistent,
  netmask,
  real_server,
  masquerading,
  ipip,
  gatewaying,
  weight,
  u_threshold,
  l_threshold,
  numeric,
  connection,
  mcast_interface,
  syncid,
  timeout,
  daemon,
  stats,
  rate,
  thresholds,
  persistent_conn,
  nosort,
  sort,
  exact,
  ipv6,
  ops,
  pe,
  sched_flags,
  mcast_group,
  mcast_port,
  mcast_ttl,
  sync_maxlen,
  tun_info,
  tun_type,
  tun_port,
  tun_nocsum,
  tun_csum,
  tun_remcsum,
  atomic,
};

std::span<const OptionSpec> option_specs(const Dialect& dialect);
std::string_view option_name(Option option);  // "service-address"

// Whether the options fit the command: what is missing, illegal or in conflict, as ipvsadm would say it.
Checked check_options(CommandName command, const OptionSet& options);

}  // namespace limpet::ipvsadm
