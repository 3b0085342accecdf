// SPDX-License-Identifier: Apache-2.0
// The judgement of entries. Where the kernel decides each of these: ip_vs_core.c, ip_vs_in_hook() for connections whose
// server is gone; ip_vs_conn.c, ip_vs_check_template() and ip_vs_ct_in_get() for templates; ip_vs_ctl.c,
// ip_vs_service_find() for which service is asked.
#include "model/foresight.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace limpet {

struct Foresight::ServerState {
  DestinationKey key;
  const Destination* before = nullptr;
  const Destination* after = nullptr;
  ConnectionFates connections = {};
  ClientFates clients = {};
  std::uint32_t connections_last = 0;
  std::uint32_t clients_last = 0;
};

struct Foresight::ServiceState {
  ServiceKey key;
  const ConfiguredService* before = nullptr;
  const ConfiguredService* after = nullptr;
  std::vector<ServerState> servers;  // by key
  std::vector<TakeOver> taken_over;
};

namespace {

// Every server that is configured before or after, by key.
std::vector<Foresight::ServerState> servers_of(const ConfiguredService* before, const ConfiguredService* after) {
  std::vector<Foresight::ServerState> servers;
  const auto by_key = [](const auto& left, const auto& right) { return left.key < right.key; };
  if (before != nullptr)
    for (const Destination& destination : before->destinations) servers.push_back({destination.key, &destination});
  std::sort(servers.begin(), servers.end(), by_key);
  if (after == nullptr) return servers;
  std::vector<Foresight::ServerState> added;
  for (const Destination& destination : after->destinations) {
    const auto known =
        std::lower_bound(servers.begin(), servers.end(), Foresight::ServerState{destination.key}, by_key);
    if (known != servers.end() && known->key == destination.key)
      known->after = &destination;
    else
      added.push_back({destination.key, nullptr, &destination});
  }
  servers.insert(servers.end(), added.begin(), added.end());
  std::sort(servers.begin(), servers.end(), by_key);
  return servers;
}

// The service that a packet is asked for: by its mark, its address and port, its address.
const ConfiguredService* taker(const Configuration& configuration, Mark mark, Protocol protocol,
                               const Endpoint& target) {
  const ConfiguredService* service = nullptr;
  if (mark.value != 0) service = configuration.find(ServiceKey::of_mark(mark, target.address.family()));
  if (service == nullptr) service = configuration.find(ServiceKey::of_address(protocol, target.address, target.port));
  if (service == nullptr) service = configuration.find(ServiceKey::of_address(protocol, target.address, Port{}));
  return service;
}

// Whether a client of the template would be led by it. A template is found by the masked address alone, so one that
// was made under another mask is found if the new mask makes the same of all its clients.
bool leads(const ConfiguredService* service, const Destination* server, std::uint32_t network, std::uint32_t mask,
           const ForesightSettings& settings) {
  if (service == nullptr || server == nullptr || !service->service.persistent) return false;
  if (server->weight == 0 && settings.expire_quiescent_template) return false;
  const std::uint32_t asked = service->service.netmask;
  return (network & asked) == network && (asked & ~mask) == 0;
}

bool is_target(const Destination& destination) { return destination.weight > 0; }

bool same_targets(const ConfiguredService& before, const ConfiguredService& after) {
  if (before.service.scheduler != after.service.scheduler) return false;
  const auto next_target = [](const std::vector<Destination>& all, std::vector<Destination>::const_iterator from) {
    return std::find_if(from, all.end(), is_target);
  };
  auto left = next_target(before.destinations, before.destinations.begin());
  auto right = next_target(after.destinations, after.destinations.begin());
  while (left != before.destinations.end() && right != after.destinations.end()) {
    if (left->key != right->key || left->weight != right->weight) return false;
    left = next_target(before.destinations, left + 1);
    right = next_target(after.destinations, right + 1);
  }
  return left == before.destinations.end() && right == after.destinations.end();
}

bool is_concerned(const Foresight::ServerState& server) {
  const bool changes = (server.before == nullptr) != (server.after == nullptr) ||
                       (server.before != nullptr && server.after != nullptr && *server.before != *server.after);
  ConnectionFates connections = server.connections;
  ClientFates clients = server.clients;
  connections.go_on = 0;
  clients.stay = 0;
  return changes || connections != ConnectionFates{} || clients != ClientFates{};
}

ServerForesight told(const Foresight::ServerState& server) {
  ServerForesight out;
  out.server = server.key;
  if (server.before != nullptr) out.before = *server.before;
  if (server.after != nullptr) out.after = *server.after;
  out.connections = server.connections;
  out.clients = server.clients;
  out.connections_last = server.connections_last;
  out.clients_last = server.clients_last;
  return out;
}

}  // namespace

Foresight::Foresight(const Configuration& before, const Configuration& after, ForesightSettings settings,
                     const std::vector<ServiceKey>& touched)
    : before_(before), after_(after), settings_(settings) {
  for (const ServiceKey& key : touched) {
    services_change_ |= (before.find(key) == nullptr) != (after.find(key) == nullptr);
    if (states_.try_emplace(key).second) order_.push_back(key);
  }
  touched_ = order_.size();
}

Foresight::~Foresight() = default;

Foresight::ServiceState& Foresight::state_of(const ServiceKey& key) {
  const auto [place, is_new] = states_.try_emplace(key);
  if (is_new) order_.push_back(key);
  auto& state = place->second;
  if (state == nullptr) {
    state = std::make_unique<ServiceState>();
    state->key = key;
    state->before = before_.find(key);
    state->after = after_.find(key);
    state->servers = servers_of(state->before, state->after);
  }
  return *state;
}

Foresight::Bound Foresight::bound(const ServiceKey& service, const DestinationKey& server) {
  ServiceState& state = state_of(service);
  const auto found =
      std::lower_bound(state.servers.begin(), state.servers.end(), server,
                       [](const ServerState& left, const DestinationKey& key) { return left.key < key; });
  const bool is_known = found != state.servers.end() && found->key == server;
  return {&state, is_known ? &*found : nullptr};
}

const ServiceKey& Foresight::Bound::key() const { return service->key; }

void Foresight::add_connection(const Bound& to, Protocol protocol, const Endpoint& target, std::uint32_t left) {
  if (services_change_) {
    const Mark mark = to.service->key.mark;
    const ConfiguredService* before = taker(before_, mark, protocol, target);
    const ConfiguredService* after = taker(after_, mark, protocol, target);
    const bool changes_hands = after != nullptr && (before == nullptr || before->service.key != after->service.key);
    if (changes_hands && after->service.key != to.service->key) {
      auto& all = to.service->taken_over;
      auto mine = std::find_if(all.begin(), all.end(), [&](const TakeOver& t) { return t.by == after->service.key; });
      if (mine == all.end()) mine = all.insert(all.end(), {after->service.key});
      ++mine->connections;
    }
  }
  if (to.server == nullptr) return;  // removed before, and after
  ServerState& server = *to.server;
  ConnectionFates& fates = server.connections;
  if (server.after != nullptr) {
    ++(server.before != nullptr ? fates.go_on : fates.resume);
    return;
  }
  if (!settings_.expire_nodest_conn)
    ++fates.strand;
  else
    ++(protocol == Protocol::tcp ? fates.end : fates.move);
  server.connections_last = std::max(server.connections_last, left);
}

void Foresight::add_client(const Bound& to, std::uint32_t network, std::uint32_t mask, std::uint32_t left) {
  if (to.server == nullptr) return;
  ServerState& server = *to.server;
  ClientFates& fates = server.clients;
  const bool before = leads(to.service->before, server.before, network, mask, settings_);
  const bool after = leads(to.service->after, server.after, network, mask, settings_);
  if (after) {
    ++(before ? fates.stay : fates.resume);
  } else if (before) {
    ++(to.service->after == nullptr ? fates.wait : fates.move);
    server.clients_last = std::max(server.clients_last, left);
  }
}

bool Foresight::is_told(const ServiceState& state) {
  return !state.taken_over.empty() || std::any_of(state.servers.begin(), state.servers.end(), is_concerned);
}

ServiceForesight Foresight::tell(const ServiceState& state) {
  ServiceForesight out;
  out.service = state.key;
  if (state.before != nullptr) out.before = state.before->service;
  if (state.after != nullptr) out.after = state.after->service;
  out.taken_over = state.taken_over;
  if (state.after != nullptr) {
    for (const Destination& destination : state.after->destinations) {
      if (!is_target(destination)) continue;
      if (++out.target_count <= kTargetsNamed) out.targets.push_back(destination.key);
    }
  }
  out.targets_change = state.before == nullptr || state.after == nullptr ? state.before != state.after
                                                                         : !same_targets(*state.before, *state.after);
  return out;
}

std::optional<ForesightLine> Foresight::next() {
  while (told_ < order_.size()) {
    const ServiceState& state = state_of(order_[told_]);
    if (!in_servers_) {
      if (told_ >= touched_ && !is_told(state)) {
        ++told_;
        continue;
      }
      in_servers_ = true;
      server_told_ = 0;
      return tell(state);
    }
    while (server_told_ < state.servers.size()) {
      const ServerState& server = state.servers[server_told_++];
      if (is_concerned(server)) return told(server);
    }
    in_servers_ = false;
    ++told_;
  }
  return std::nullopt;
}

}  // namespace limpet
