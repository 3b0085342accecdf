// SPDX-License-Identifier: Apache-2.0
// The tables of ipvsadm 1.31's options.
#include "ipvsadm/options.h"

#include <array>
#include <initializer_list>

namespace limpet::ipvsadm {
namespace {

constexpr OptionSpec spec(Token token, std::string_view long_name, char short_name, Argument argument) {
  return {static_cast<int>(token), long_name, short_name, argument};
}

constexpr auto kNone = Argument::none;
constexpr auto kRequired = Argument::required;

constexpr auto kSpecs = std::to_array<OptionSpec>({
    spec(Token::add_service, "add-service", 'A', kNone),
    spec(Token::edit_service, "edit-service", 'E', kNone),
    spec(Token::delete_service, "delete-service", 'D', kNone),
    spec(Token::clear, "clear", 'C', kNone),
    spec(Token::list, "list", 'L', kNone),
    spec(Token::list, "list", 'l', kNone),
    spec(Token::zero, "zero", 'Z', kNone),
    spec(Token::add_server, "add-server", 'a', kNone),
    spec(Token::edit_server, "edit-server", 'e', kNone),
    spec(Token::delete_server, "delete-server", 'd', kNone),
    spec(Token::set, "set", '\0', kNone),
    spec(Token::start_daemon, "start-daemon", '\0', kRequired),
    spec(Token::stop_daemon, "stop-daemon", '\0', kRequired),
    spec(Token::restore, "restore", 'R', kNone),
    spec(Token::save, "save", 'S', kNone),
    spec(Token::help, "help", 'h', kNone),
    spec(Token::version, "version", 'v', kNone),
    spec(Token::tcp_service, "tcp-service", 't', kRequired),
    spec(Token::udp_service, "udp-service", 'u', kRequired),
    spec(Token::sctp_service, "sctp-service", '\0', kRequired),
    spec(Token::fwmark_service, "fwmark-service", 'f', kRequired),
    spec(Token::scheduler, "scheduler", 's', kRequired),
    spec(Token::persistent, "persistent", 'p', Argument::optional),
    spec(Token::netmask, "netmask", 'M', kRequired),
    spec(Token::real_server, "real-server", 'r', kRequired),
    spec(Token::masquerading, "masquerading", 'm', kNone),
    spec(Token::ipip, "ipip", 'i', kNone),
    spec(Token::gatewaying, "gatewaying", 'g', kNone),
    spec(Token::weight, "weight", 'w', kRequired),
    spec(Token::u_threshold, "u-threshold", 'x', kRequired),
    spec(Token::l_threshold, "l-threshold", 'y', kRequired),
    spec(Token::numeric, "numeric", 'n', kNone),
    spec(Token::connection, "connection", 'c', kNone),
    spec(Token::mcast_interface, "mcast-interface", '\0', kRequired),
    spec(Token::syncid, "syncid", '\0', kRequired),
    spec(Token::timeout, "timeout", '\0', kNone),
    spec(Token::daemon, "daemon", '\0', kNone),
    spec(Token::stats, "stats", '\0', kNone),
    spec(Token::rate, "rate", '\0', kNone),
    spec(Token::thresholds, "thresholds", '\0', kNone),
    spec(Token::persistent_conn, "persistent-conn", '\0', kNone),
    spec(Token::nosort, "nosort", '\0', kNone),
    spec(Token::sort, "sort", '\0', kNone),
    spec(Token::exact, "exact", 'X', kNone),
    spec(Token::ipv6, "ipv6", '6', kNone),
    spec(Token::ops, "ops", 'o', kNone),
    spec(Token::pe, "pe", '\0', kRequired),
    spec(Token::sched_flags, "sched-flags", 'b', kRequired),
    spec(Token::mcast_group, "mcast-group", '\0', kRequired),
    spec(Token::mcast_port, "mcast-port", '\0', kRequired),
    spec(Token::mcast_ttl, "mcast-ttl", '\0', kRequired),
    spec(Token::sync_maxlen, "sync-maxlen", '\0', kRequired),
    spec(Token::tun_info, "tun-info", '\0', kNone),
    spec(Token::tun_type, "tun-type", '\0', kRequired),
    spec(Token::tun_port, "tun-port", '\0', kRequired),
    spec(Token::tun_nocsum, "tun-nocsum", '\0', kNone),
    spec(Token::tun_csum, "tun-csum", '\0', kNone),
    spec(Token::tun_remcsum, "tun-remcsum", '\0', kNone),
    spec(Token::atomic, "atomic", '\0', kNone),  // the last: ipvsadm has all but this
});

constexpr std::array<std::string_view, kOptionCount> kOptionNames = {"numeric",
                                                                     "connection",
                                                                     "service-address",
                                                                     "scheduler",
                                                                     "persistent",
                                                                     "netmask",
                                                                     "real-server",
                                                                     "forwarding-method",
                                                                     "weight",
                                                                     "u-threshold",
                                                                     "l-threshold",
                                                                     "mcast-interface",
                                                                     "timeout",
                                                                     "daemon",
                                                                     "stats",
                                                                     "rate",
                                                                     "thresholds",
                                                                     "persistent-conn",
                                                                     "nosort",
                                                                     "syncid",
                                                                     "exact",
                                                                     "ops",
                                                                     "pe",
                                                                     "sched-flags",
                                                                     "mcast-group",
                                                                     "mcast-port",
                                                                     "mcast-ttl",
                                                                     "sync-maxlen",
                                                                     "tun-info",
                                                                     "tun-type",
                                                                     "tun-port",
                                                                     "tun-nocsum",
                                                                     "tun-csum",
                                                                     "tun-remcsum",
                                                                     "atomic"};

constexpr std::array<std::string_view, 14> kCommandNames = {
    "add-service", "edit-service", "delete-service", "flush",       "list",    "add-server", "delete-server",
    "edit-server", "set",          "start-daemon",   "stop-daemon", "restore", "save",       "zero"};

using Options = std::initializer_list<Option>;

constexpr std::uint64_t bits(Options options) {
  std::uint64_t result = 0;
  for (const auto option : options) result |= std::uint64_t{1} << static_cast<unsigned>(option);
  return result;
}

// Which options a command must have, may have, and may have one of.
struct Legality {
  std::uint64_t required = 0;
  std::uint64_t allowed = 0;
  std::uint64_t exclusive = 0;
};

using enum Option;
constexpr Legality kService = {bits({service_address}), bits({scheduler, persistent, netmask, ops, pe, sched_flags}),
                               0};
constexpr Legality kServer = {
    bits({service_address, real_server}),
    bits({forwarding_method, weight, u_threshold, l_threshold, tun_type, tun_port, tun_nocsum, tun_csum, tun_remcsum}),
    0};
constexpr Legality kList = {0,
                            bits({numeric, stats, rate, thresholds, persistent_conn, nosort, syncid, exact, tun_info}),
                            bits({connection, service_address, timeout, daemon})};
constexpr Legality kStartDaemon = {0, bits({mcast_interface, syncid, mcast_group, mcast_port, mcast_ttl, sync_maxlen}),
                                   0};

constexpr Legality legality(CommandName command) {
  switch (command) {
    case CommandName::add_service:
    case CommandName::edit_service:
      return kService;
    case CommandName::delete_service:
      return {bits({service_address}), 0, 0};
    case CommandName::list:
      return kList;
    case CommandName::add_server:
    case CommandName::edit_server:
      return kServer;
    case CommandName::delete_server:
      return {bits({service_address, real_server}), 0, 0};
    case CommandName::start_daemon:
      return kStartDaemon;
    case CommandName::stop_daemon:
      return {0, bits({syncid}), 0};
    case CommandName::save:
      return {0, bits({numeric}), 0};
    case CommandName::zero:
      return {0, bits({service_address}), 0};
    case CommandName::restore:
      return {0, bits({atomic}), 0};
    case CommandName::flush:
    case CommandName::set:
      break;
  }
  return {};
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

}  // namespace

std::span<const OptionSpec> option_specs(const Dialect& dialect) {
  return std::span(kSpecs).first(kSpecs.size() - (dialect.atomic_restore ? 0 : 1));
}

std::string_view option_name(Option option) { return kOptionNames[static_cast<std::size_t>(option)]; }

Checked check_options(CommandName command, const OptionSet& options) {
  const auto rules = legality(command);
  const auto where = " " + quoted(kCommandNames[static_cast<std::size_t>(command)]) + " command";
  std::optional<Option> chosen;
  for (std::size_t index = 0; index < kOptionCount; ++index) {
    const auto option = static_cast<Option>(index);
    const auto bit = std::uint64_t{1} << index;
    if (!options.has(option)) {
      if ((rules.required & bit) != 0) {
        return fail("You need to supply the " + quoted(option_name(option)) + " option for the" + where);
      }
    } else if ((rules.exclusive & bit) != 0) {
      if (chosen) {
        return fail("The option " + quoted(option_name(option)) + " conflicts with the " +
                    quoted(option_name(*chosen)) + " option in the" + where);
      }
      chosen = option;
    } else if (((rules.required | rules.allowed) & bit) == 0) {
      return fail("Illegal " + quoted(option_name(option)) + " option with the" + where);
    }
  }
  return std::nullopt;
}

}  // namespace limpet::ipvsadm
