// SPDX-License-Identifier: Apache-2.0
// ipvsadm's order of services and servers, its oddities included.
#pragma once

#include <vector>

#include "model/view.h"

namespace limpet::ipvsadm {

// By mark, family, protocol, address, port. Marks and addresses are compared by the sign of their 32-bit difference, as
// ipvsadm does: mark 4294967295 comes first and 192.0.2.1 before 10.0.0.1.
void sort_services(std::vector<const ServiceView*>& services);
void sort_destinations(std::vector<const DestinationView*>& destinations);

}  // namespace limpet::ipvsadm
