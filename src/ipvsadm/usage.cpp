// SPDX-License-Identifier: Apache-2.0
// Help and version. The manual page limpetadm(8) says the same at length.
#include "ipvsadm/usage.h"

#include <array>
#include <string_view>

namespace limpet::ipvsadm {
namespace {

constexpr std::array<std::string_view, 13> kForms = {
    "-A|E virtual-service [-s scheduler] [-p [timeout]] [-M netmask] [--pe engine] [-b flags] [-o]",
    "-D virtual-service",
    "-C",
    "-R",
    "-S [-n]",
    "-a|e virtual-service -r server-address [options]",
    "-d virtual-service -r server-address",
    "-L|l [virtual-service] [options]",
    "-Z [virtual-service]",
    "--set tcp tcpfin udp",
    "--start-daemon {master|backup} [daemon-options]",
    "--stop-daemon {master|backup}",
    "-h | -v"};

constexpr std::string_view kHelp = R"(
Commands, of which exactly one comes first:
  --add-service     -A        add a virtual service
  --edit-service    -E        replace a virtual service's options
  --delete-service  -D        delete a virtual service and its servers
  --clear           -C        delete all virtual services
  --restore         -R        run the commands read from standard input
  --save            -S        print the commands that rebuild the table
  --add-server      -a        add a real server
  --edit-server     -e        replace a real server's options
  --delete-server   -d        delete a real server
  --list            -L|-l     list the table
  --zero            -Z        zero the counters of one or of all services
  --set tcp tcpfin udp        set timeouts in seconds; 0 keeps a value
  --start-daemon              start connection synchronisation (kept and listed; no traffic yet)
  --stop-daemon               stop connection synchronisation
  --help            -h        print this text
  --version         -v        print the version

virtual-service, one of:
  --tcp-service|-t  service-address   host[:port]
  --udp-service|-u  service-address   host[:port]
  --sctp-service    service-address   host[:port] (not carried yet)
  --fwmark-service|-f fwmark          firewall mark, an integer above zero

Options of services:
  --ipv6         -6                   the mark is for IPv6; follows -f (not carried yet)
  --scheduler    -s scheduler         rr|wrr|lc|wlc|lblc|lblcr|sed|nq|fo|ovf|dh|sh|mh|
                                      twos|maglev, default wlc
  --persistent   -p [timeout]         persistent service, default 360 seconds
  --netmask      -M netmask           granularity of persistence
  --pe           engine               persistence engine (not carried yet)
  --ops          -o                   one-packet scheduling
  --sched-flags  -b flags             sh-fallback|sh-port|mh-fallback|mh-port|flag-N,
                                      comma-separated

Options of real servers:
  --real-server  -r server-address    host[:port]
  --gatewaying   -g                   direct routing (default)
  --masquerading -m                   masquerading (NAT)
  --ipip         -i                   tunnel (not carried yet)
  --tun-type     type                 ipip|gue|gre, default ipip
  --tun-port     port                 destination port of a gue tunnel
  --tun-nocsum                        tunnel without checksum
  --tun-csum                          tunnel with checksum
  --tun-remcsum                       tunnel with remote checksum offload
  --weight       -w weight            0 to 2147483647, default 1; 0: no new connections
  --u-threshold  -x connections       stop at so many connections
  --l-threshold  -y connections       resume below so many connections

Options of listings:
  --numeric      -n                   addresses and ports as numbers
  --connection   -c                   connections and persistence templates
  --timeout                           timeouts
  --daemon                            synchronisation daemons
  --stats                             counters
  --rate                              rates per second
  --exact        -X                   counters and rates with all digits
  --thresholds                        connection thresholds
  --persistent-conn                   persistence templates per server
  --tun-info                          tunnels
  --nosort                            in the order of the table, newest first
  --sort                              sorted (default)

Options of synchronisation daemons:
  --syncid id  --sync-maxlen length  --mcast-interface interface
  --mcast-group address  --mcast-port port  --mcast-ttl ttl
)";

}  // namespace

std::string version_text(const std::string& program, const Dialect& dialect) {
  return program + " " + std::string(dialect.version) + "\n";
}

std::string usage_text(const std::string& program, const Dialect& dialect) {
  std::string text = version_text(program, dialect) + "Usage:\n";
  for (const auto form : kForms) text += "  " + program + " " + std::string(form) + "\n";
  if (dialect.atomic_restore) text += "  " + program + " -R --atomic\n";
  return text += kHelp;
}

}  // namespace limpet::ipvsadm
