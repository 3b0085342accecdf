// SPDX-License-Identifier: Apache-2.0
// What `-L` prints, byte for byte as ipvsadm prints it, trailing blanks included.
#pragma once

#include <string>
#include <vector>

#include "ipvsadm/dialect.h"
#include "ipvsadm/grammar.h"
#include "ipvsadm/names.h"
#include "model/sync_daemon.h"
#include "model/view.h"

namespace limpet::ipvsadm {

// One page per ListServices: the version line comes only where all services are listed.
std::string version_line();
std::string listing_header(const ListFormat& format);
// A service and its servers. Precondition for a whole listing: the caller has sorted the services (order.h).
std::string service_text(const ServiceView& service, const ListFormat& format, const Names& names,
                         const Dialect& dialect);

std::string timeouts_text(const Timeouts& timeouts);
std::string sync_daemon_line(const SyncDaemon& daemon);

std::string connections_header(const ListFormat& format);
std::string connection_line(const ConnectionView& connection, const ListFormat& format, const Names& names);

}  // namespace limpet::ipvsadm
