// SPDX-License-Identifier: Apache-2.0
// One message in, what it is answered with out: the family "IPVS", and of the controller ("nlctrl") what a program asks
// to find it. No sockets.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "director/director.h"
#include "ipvs_netlink/dump.h"
#include "ipvs_netlink/wire.h"

namespace limpet::ipvs_netlink {

// What the other end may.
enum class Rights {
  all,
  none,   // neither root nor of the group: EPERM
  absent  // of another network namespace, where there is no such director: as without ip_vs
};

struct Answer {
  std::vector<Bytes> datagrams;  // in this order, and then the dump's
  std::unique_ptr<Dump> dump;
  std::string file;      // not empty: the file of /proc/net whose content goes along with the first datagram
  bool changed = false;  // to be sent when director.settle() says so
};

Answer answer(Director& director, Rights rights, const Message& message);

}  // namespace limpet::ipvs_netlink
