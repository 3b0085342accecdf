// SPDX-License-Identifier: Apache-2.0
// Where a packet that opens a connection would go, and by which rule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/service.h"

namespace limpet {

struct ExplainQuestion {
  Protocol protocol = Protocol::tcp;
  Address client;
  Port client_port;  // 0: any that has no connection yet
  Address virtual_address;
  Port virtual_port;
  Mark mark;         // as the host's rules would set it
  bool led = false;  // the host's rules lead such packets to the service, whoever the address is
};

// The data plane's rules, in the order in which it asks (bpf/abi.h, enum limpet_explain_rule).
enum class ExplainRule : std::uint8_t {
  connection,      // there is one: its server
  removed_server,  // there is one, but its server has been removed
  source,          // a source that opens nothing
  ftp_data,        // from port 20
  no_service,
  not_persistent,  // a port-0 service without persistence
  not_local,       // the address is not this host's
  persistence,     // a template
  scheduler,
  hash,  // the table of connections has been full within the last minute
  no_server,
  bypass,      // the same, or when the connection began; cache_bypass lets it go to the address it was sent to
  drop_packet  // it is the turn of that defence
};

enum class ExplainOutcome : std::uint8_t { forwarded, dropped, refused, passed };

// Whether the director knows how to reach the server.
enum class WayToServer : std::uint8_t { ready, unresolved, local, unreachable };

struct ChosenServer {
  DestinationKey key;  // the port is the one that packets will have there
  ForwardingMethod method = ForwardingMethod::route;
  std::uint32_t weight = 0;
  WayToServer way = WayToServer::ready;
};

struct Explanation {
  ExplainRule rule = ExplainRule::no_service;
  std::optional<ServiceKey> service;
  std::string scheduler;                 // the service's; empty: there is none, or none any more
  Hashed hashes = Hashed::nothing;       // its scheduler
  std::optional<ChosenServer> server;    // by `bypass`: the address itself
  std::string state;                     // of the connection that decides; empty: none does
  std::uint32_t expires = 0;             // seconds left of the connection or template that decides
  std::string network;                   // whose template decides, or controls the connection; empty: none
  std::optional<DestinationKey> former;  // server of a connection begun anew, or of a template given up
  bool reused = false;                   // a connection is there, but a SYN begins it anew
  bool given_up = false;                 // a template is there, but its server does not serve
  bool deferred = false;                 // the packet goes through netfilter first
  std::vector<DestinationKey> weight_0;  // the service's servers that get nobody new

  ExplainOutcome outcome() const;
};

}  // namespace limpet
