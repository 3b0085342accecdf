// SPDX-License-Identifier: Apache-2.0
// The options of ipvsadm's synchronisation daemons: limpet has no such daemon, but a mistake in them is still one.
#pragma once

#include <string>

#include "ipvsadm/options.h"
#include "ipvsadm/parse_result.h"

namespace limpet::ipvsadm {

struct DaemonOption {
  Option option;
  Checked failure;
};

// Precondition: `token` is one of mcast_interface, syncid, mcast_group, mcast_port, mcast_ttl, sync_maxlen.
DaemonOption check_daemon_option(Token token, const std::string& text);

}  // namespace limpet::ipvsadm
