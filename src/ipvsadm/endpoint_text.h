// SPDX-License-Identifier: Apache-2.0
// Addresses with ports in listings, as numbers or as names.
#pragma once

#include <string>

#include "ipvsadm/dialect.h"
#include "ipvsadm/names.h"
#include "model/service.h"

namespace limpet::ipvsadm {

// "192.0.2.1:80", "www.example.net:http", "[2001:db8::1]:80". What has no name is shown as a number.
std::string endpoint_text(const Address& address, Port port, Protocol protocol, bool numeric, const Names& names);

// How the command line names a service: "-t 192.0.2.1:80", "-f 10 -6".
std::string service_option_text(const ServiceKey& key, bool numeric, const Names& names, const Dialect& dialect);

std::string mark_text(Mark mark, const Dialect& dialect);

}  // namespace limpet::ipvsadm
