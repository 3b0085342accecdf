// SPDX-License-Identifier: Apache-2.0
// The order of services and servers in listings.
#pragma once

#include <vector>

#include "ipvsadm/dialect.h"
#include "model/view.h"

namespace limpet::ipvsadm {

// By mark, family, protocol, address, port. In ipvsadm's dialect marks and addresses are compared by the sign of their
// 32-bit difference: mark 4294967295 comes first and 192.0.2.1 before 10.0.0.1.
void sort_services(std::vector<const ServiceView*>& services, const Dialect& dialect);
void sort_destinations(std::vector<const DestinationView*>& destinations, const Dialect& dialect);

}  // namespace limpet::ipvsadm
