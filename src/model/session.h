// SPDX-License-Identifier: Apache-2.0
// Sessions: connections and templates together with why they are where they are, and which of them are asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/service.h"
#include "model/view.h"

namespace limpet {

// An address and how many of its leading bits count.
struct Network {
  Address address;
  unsigned prefix_length = 32;  // IPv6: up to 128

  // "10.1.0.0/24", or an address alone for all of its bits. Bits behind the prefix are taken off.
  static std::optional<Network> parse(std::string_view text);
  std::string to_string() const;  // an address alone where all of its bits count
  // Network order. Precondition: the address is IPv4.
  std::uint32_t ipv4_mask() const;

  bool operator==(const Network&) const = default;
};

// "10.1.0.0/24", "10.1.0.1" for a mask of ones, "10.1.0.0/255.0.255.0" for one with holes. `mask` in network order.
std::string ipv4_network_text(const Address& address, std::uint32_t mask);

struct ServerName {
  Address address;
  std::optional<Port> port;  // none: any

  static std::optional<ServerName> parse(std::string_view text);  // "10.0.0.1", "10.0.0.1:80", "[2001:db8::1]:80"
  std::string to_string() const;

  bool operator==(const ServerName&) const = default;
};

// What is left out does not narrow.
struct SessionFilter {
  std::optional<Network> client;  // a template is meant if its network and this one overlap
  std::optional<ServiceKey> service;
  std::optional<ServerName> server;

  bool operator==(const SessionFilter&) const = default;
};

// How many there are of those that a filter names, and how many seconds the last would last if it saw no packet.
struct Remaining {
  std::uint64_t connections = 0;
  std::uint64_t clients = 0;  // templates
  std::uint32_t connections_last = 0;
  std::uint32_t clients_last = 0;

  bool operator==(const Remaining&) const = default;
};

struct SessionView {
  ConnectionView connection;
  ServiceKey service;     // that opened it
  std::string scheduler;  // the service's now; empty: there is no such service any more
  ForwardingMethod method = ForwardingMethod::route;
  bool server_removed = false;
  std::string network;           // of the template, or of the one that controls the connection; empty: none does
  std::uint32_t controlled = 0;  // a template's connections
};

}  // namespace limpet
