// SPDX-License-Identifier: Apache-2.0
// The options of synchronisation daemons.
#pragma once

#include <string>

#include "ipvsadm/options.h"
#include "ipvsadm/parse_result.h"
#include "model/sync_daemon.h"

namespace limpet::ipvsadm {

struct DaemonOption {
  Option option;
  Checked failure;
};

// Precondition: `token` is one of mcast_interface, syncid, mcast_group, mcast_port, mcast_ttl, sync_maxlen.
DaemonOption take_daemon_option(SyncDaemon& daemon, Token token, const std::string& text);

}  // namespace limpet::ipvsadm
