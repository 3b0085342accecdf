// SPDX-License-Identifier: Apache-2.0
// What `-S` prints: commands that `-R` reads back.
#pragma once

#include <string>

#include "ipvsadm/dialect.h"
#include "ipvsadm/names.h"
#include "model/view.h"

namespace limpet::ipvsadm {

// The commands that add `service` and its servers.
std::string saved_service(const ServiceView& service, bool numeric, const Names& names, const Dialect& dialect);

// Behind -a or -e: "-t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1".
std::string saved_server(const ServiceKey& service, const Destination& server, bool numeric, const Names& names,
                         const Dialect& dialect);

}  // namespace limpet::ipvsadm
