// SPDX-License-Identifier: Apache-2.0
// Programs that do not find the family "IPVS" try socket options. Those must fail as without ip_vs, also on a host that
// has it: else a program that was meant for limpetd would change the kernel's tables.
#include <errno.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "preload/echo.h"
#include "preload/next.h"

LIMPET_NEXT(getsockopt)
LIMPET_NEXT(setsockopt)

namespace {

constexpr int kOptions = 64;  // of netfilter's, each user has so many

bool is_of_ipvs(int level, int option) {
  return level == IPPROTO_IP && option >= IP_VS_BASE_CTL && option < IP_VS_BASE_CTL + kOptions;
}

}  // namespace

LIMPET_PUBLIC int getsockopt(int fd, int level, int option, void* value, socklen_t* length) noexcept {
  if (!is_of_ipvs(level, option)) return getsockopt_next()(fd, level, option, value, length);
  errno = ENOPROTOOPT;
  return -1;
}

LIMPET_PUBLIC int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  if (level == SOL_NETLINK && option == NETLINK_CAP_ACK) limpet::preload::some_do_not_echo();
  if (!is_of_ipvs(level, option)) return setsockopt_next()(fd, level, option, value, length);
  errno = ENOPROTOOPT;
  return -1;
}
