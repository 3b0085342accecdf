// SPDX-License-Identifier: Apache-2.0
// The container behind Configuration and how commands change it; what they must fulfil is in configuration_rules.cpp.
#include "model/configuration.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>

namespace limpet {

const Destination* ConfiguredService::find(const DestinationKey& key) const {
  const auto found = std::find_if(destinations.begin(), destinations.end(),
                                  [&](const Destination& destination) { return destination.key == key; });
  return found == destinations.end() ? nullptr : &*found;
}

std::size_t ServiceKeyHash::operator()(const ServiceKey& key) const {
  std::array<std::uint64_t, 3> words{};
  words[0] = static_cast<std::uint64_t>(key.mark.value) << 32 | static_cast<std::uint64_t>(key.port.value) << 16 |
             static_cast<std::uint64_t>(key.protocol) << 8 | static_cast<std::uint64_t>(key.family);
  std::memcpy(&words[1], key.address.bytes().data(), key.address.bytes().size());
  std::uint64_t hash = 0;
  for (const std::uint64_t word : words) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32;  // what the multiplication has put into the upper half counts below as well
  }
  return hash;
}

Configuration::Configuration(const Configuration& other)
    : services_(other.services_),
      timeouts_(other.timeouts_),
      tunables_(other.tunables_),
      master_(other.master_),
      backup_(other.backup_) {
  for (auto service = services_.begin(); service != services_.end(); ++service) {
    index_.emplace(service->service.key, service);
  }
}

Configuration& Configuration::operator=(const Configuration& other) {
  if (this != &other) *this = Configuration(other);
  return *this;
}

const ConfiguredService* Configuration::find(const ServiceKey& key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &*found->second;
}

std::vector<SyncDaemon> Configuration::sync_daemons() const {
  std::vector<SyncDaemon> daemons;
  for (const auto& daemon : {master_, backup_}) {
    if (daemon) daemons.push_back(*daemon);
  }
  return daemons;
}

Configuration Configuration::without_services() const {
  Configuration rest;
  rest.timeouts_ = timeouts_;
  rest.tunables_ = tunables_;
  rest.master_ = master_;
  rest.backup_ = backup_;
  return rest;
}

struct Configuration::Applier {
  Configuration& to;

  void operator()(const AddService& command) const {
    to.services_.push_front({normalised(command.service), {}});
    to.index_.emplace(command.service.key, to.services_.begin());
  }
  void operator()(const EditService& command) const {
    service(command.service.key).service = normalised(command.service);  // the destinations stay
  }
  void operator()(const DeleteService& command) const {
    const auto found = to.index_.find(command.key);
    to.services_.erase(found->second);
    to.index_.erase(found);
  }
  void operator()(const Flush&) const {
    to.services_.clear();
    to.index_.clear();
  }
  void operator()(const AddDestination& command) const {
    auto& destinations = service(command.service).destinations;
    destinations.insert(destinations.begin(), command.destination);
  }
  void operator()(const EditDestination& command) const {
    *position(command.service, command.destination.key) = command.destination;  // keeps its place in the order
  }
  void operator()(const DeleteDestination& command) const {
    service(command.service).destinations.erase(position(command.service, command.destination));
  }
  void operator()(const SetTimeouts& command) const {
    const auto set = [](std::uint32_t& timeout, std::uint32_t seconds) {
      if (seconds != 0) timeout = seconds;
    };
    set(to.timeouts_.tcp, command.timeouts.tcp);
    set(to.timeouts_.tcp_fin, command.timeouts.tcp_fin);
    set(to.timeouts_.udp, command.timeouts.udp);
  }
  void operator()(const SetTunables& command) const {
    for (const Setting& setting : command.settings) limpet::apply(setting, to.tunables_);
  }
  void operator()(const Zero&) const {}  // counters are no part of the configuration
  void operator()(const StartSyncDaemon& command) const { sync_daemon(command.daemon.role) = command.daemon; }
  void operator()(const StopSyncDaemon& command) const { sync_daemon(command.role).reset(); }

  static Service normalised(Service service) {
    if (!service.persistent) service.timeout = 0;
    return service;
  }
  std::optional<SyncDaemon>& sync_daemon(SyncRole role) const {
    return role == SyncRole::master ? to.master_ : to.backup_;
  }
  ConfiguredService& service(const ServiceKey& key) const { return *to.index_.find(key)->second; }
  std::vector<Destination>::iterator position(const ServiceKey& of, const DestinationKey& key) const {
    auto& destinations = service(of).destinations;
    return std::find_if(destinations.begin(), destinations.end(),
                        [&](const Destination& destination) { return destination.key == key; });
  }
};

void Configuration::apply(const Command& command) { std::visit(Applier{*this}, command); }

}  // namespace limpet
