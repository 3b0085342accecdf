// SPDX-License-Identifier: Apache-2.0
// What a change of the configuration would do to the connections and persistent clients there are, by the rules of
// IPVS. No I/O: who walks the tables shows each entry to a Foresight, which then tells service by service.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "model/configuration.h"

namespace limpet {

// net.ipv4.vs.*, as they are in force.
struct ForesightSettings {
  bool expire_nodest_conn = false;
  bool expire_quiescent_template = false;
};

// Connections of one server, by what would become of them.
struct ConnectionFates {
  std::uint64_t go_on = 0;
  std::uint64_t strand = 0;  // packets are dropped silently, until the server is back or the connection has timed out
  std::uint64_t resume = 0;  // were stranded, and go on
  std::uint64_t end = 0;     // expire_nodest_conn, TCP: the next packet finds none, and the client is reset
  std::uint64_t move = 0;    // expire_nodest_conn, other protocols: the next packet is scheduled anew

  bool operator==(const ConnectionFates&) const = default;
};

// Templates of one server.
struct ClientFates {
  std::uint64_t stay = 0;    // the next connection comes here
  std::uint64_t move = 0;    // the next connection is scheduled anew
  std::uint64_t wait = 0;    // there is no service to ask for them: found again if it comes back in time
  std::uint64_t resume = 0;  // led nowhere, and lead here

  bool operator==(const ClientFates&) const = default;
};

struct ServerForesight {
  DestinationKey server;
  std::optional<Destination> before;  // none: not configured
  std::optional<Destination> after;
  ConnectionFates connections;
  ClientFates clients;
  // Seconds until the last that strands or waits has ended, if it sees no packet.
  std::uint32_t connections_last = 0;
  std::uint32_t clients_last = 0;
};

// Clients with connections of a service whose next ones another service would take.
struct TakeOver {
  ServiceKey by;
  std::uint64_t connections = 0;

  bool operator==(const TakeOver&) const = default;
};

// Of a scheduler that hashes: in how many of its buckets who is led there gets another server, or none.
struct HashShares {
  std::uint32_t buckets = 0;
  std::uint32_t moved = 0;
  std::uint32_t refused = 0;  // their server has weight 0, and there is no fallback

  bool operator==(const HashShares&) const = default;
};

struct ServiceForesight {
  ServiceKey service;
  std::optional<Service> before;  // none: not configured
  std::optional<Service> after;
  // Who may get new connections afterwards (weight above 0): how many, and the first of them.
  std::uint64_t target_count = 0;
  std::vector<DestinationKey> targets;
  bool targets_change = false;  // or their weights or the scheduler
  std::vector<TakeOver> taken_over;
  std::optional<HashShares> hash;  // filled in by who knows the tables
};
inline constexpr std::size_t kTargetsNamed = 10;

// A service, then those of its servers to which something happens.
using ForesightLine = std::variant<ServiceForesight, ServerForesight>;

class Foresight {
 public:
  // Both configurations must outlive it. `touched`: the services that are told of even if nothing happens to them.
  Foresight(const Configuration& before, const Configuration& after, ForesightSettings settings,
            const std::vector<ServiceKey>& touched);
  ~Foresight();
  Foresight(const Foresight&) = delete;
  Foresight& operator=(const Foresight&) = delete;

  struct ServerState;
  struct ServiceState;
  // What entries name. Looked up once a server; valid as long as this.
  struct Bound {
    ServiceState* service = nullptr;
    ServerState* server = nullptr;  // null: configured neither before nor after

    const ServiceKey& key() const;  // of the service
  };
  Bound bound(const ServiceKey& service, const DestinationKey& server);

  // A connection that the service opened. `left`: seconds.
  void add_connection(const Bound& to, Protocol protocol, const Endpoint& target, std::uint32_t left);
  // A template that has not been given up, of the masked address `network` (IPv4 in network order, as `mask`).
  void add_client(const Bound& to, std::uint32_t network, std::uint32_t mask, std::uint32_t left);

  // One after another; nullopt: the end. Nothing may be added after the first call.
  std::optional<ForesightLine> next();

 private:
  ServiceState& state_of(const ServiceKey& key);
  static ServiceForesight tell(const ServiceState& state);
  static bool is_told(const ServiceState& state);

  const Configuration& before_;
  const Configuration& after_;
  ForesightSettings settings_;
  bool services_change_ = false;  // some come or go, so that others' clients may be taken over
  // Filled when it is needed: ten thousand of them at once would take long.
  std::unordered_map<ServiceKey, std::unique_ptr<ServiceState>, ServiceKeyHash> states_;
  std::vector<ServiceKey> order_;  // touched ones first, then as they were met
  std::size_t touched_ = 0;
  std::size_t told_ = 0;         // of order_
  std::size_t server_told_ = 0;  // of that one's servers, once it has been told itself
  bool in_servers_ = false;
};

}  // namespace limpet
