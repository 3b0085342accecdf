// SPDX-License-Identifier: Apache-2.0
// What the data plane carries: a feature becomes available to users when its line here goes.
#include "model/carried.h"

#include <string>

namespace limpet {
namespace {

Error not_carried(const std::string& what, const std::string& where) {
  return {ErrorCode::not_supported, "limpet cannot carry " + what + " yet: " + where};
}

Result<void> carried_key(const ServiceKey& key) {
  if (key.family == Family::ipv6) return not_carried("IPv6", key.to_string());
  if (key.protocol == Protocol::sctp) return not_carried("SCTP", key.to_string());
  return {};
}

// In all that follows a name is made only for who is refused: every command comes by here.
Result<void> carried_service(const Service& service) {
  if (auto key = carried_key(service.key); !key) return key;
  if (service.scheduler == "none") return not_carried("the scheduler none", service.key.to_string());
  if (!service.persistence_engine.empty()) {
    return not_carried("the persistence engine " + service.persistence_engine, service.key.to_string());
  }
  return {};
}

Result<void> carried_destination(const ServiceKey& service, const Destination& destination) {
  if (auto key = carried_key(service); !key) return key;
  const auto refused = [&](const std::string& what) {
    return not_carried(what, destination.key.to_string() + " of " + service.to_string());
  };
  if (destination.key.address.family() == Family::ipv6) return refused("IPv6");
  if (destination.method == ForwardingMethod::tunnel) return refused("tunnels");
  if (destination.method == ForwardingMethod::local) return refused("the forwarding method local");
  return {};
}

struct Carried {
  Result<void> operator()(const AddService& command) const { return carried_service(command.service); }
  Result<void> operator()(const EditService& command) const { return carried_service(command.service); }
  Result<void> operator()(const AddDestination& command) const {
    return carried_destination(command.service, command.destination);
  }
  Result<void> operator()(const EditDestination& command) const {
    return carried_destination(command.service, command.destination);
  }
  template <class Other>
  Result<void> operator()(const Other&) const {
    return {};
  }
};

}  // namespace

Result<void> carried(const Command& command) { return std::visit(Carried{}, command); }

}  // namespace limpet
