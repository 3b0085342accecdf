// SPDX-License-Identifier: Apache-2.0
// What the data plane carries: a feature becomes available to users when its line here goes.
#include "model/carried.h"

#include <string>

namespace limpet {
namespace {

Error not_carried(const std::string& what, const std::string& where) {
  return {ErrorCode::not_supported, "limpet cannot carry " + what + " yet: " + where};
}

bool carried_scheduler(const std::string& name) {
  const auto scheduler = scheduler_from_name(name);
  // An unknown name is none of ours to judge: Configuration::check says that there is no such scheduler.
  if (!scheduler) return true;
  switch (*scheduler) {
    case Scheduler::lblc:
    case Scheduler::lblcr:
    case Scheduler::dh:
    case Scheduler::sh:
    case Scheduler::mh:
    case Scheduler::twos:
      return false;
    default:
      return true;
  }
}

Result<void> carried_key(const ServiceKey& key) {
  if (key.family == Family::ipv6) return not_carried("IPv6", key.to_string());
  if (key.protocol == Protocol::sctp) return not_carried("SCTP", key.to_string());
  return {};
}

Result<void> carried_service(const Service& service) {
  const auto where = service.key.to_string();
  if (auto key = carried_key(service.key); !key) return key;
  if (service.scheduler == "none" || !carried_scheduler(service.scheduler)) {
    return not_carried("the scheduler " + service.scheduler, where);
  }
  if (service.one_packet) return not_carried("one-packet scheduling", where);
  if (!service.persistence_engine.empty()) {
    return not_carried("the persistence engine " + service.persistence_engine, where);
  }
  if (service.scheduler_flags != 0) return not_carried("scheduler flags", where);
  return {};
}

Result<void> carried_destination(const ServiceKey& service, const Destination& destination) {
  const auto where = destination.key.to_string() + " of " + service.to_string();
  if (auto key = carried_key(service); !key) return key;
  if (destination.key.address.family() == Family::ipv6) return not_carried("IPv6", where);
  if (destination.method == ForwardingMethod::tunnel) return not_carried("tunnels", where);
  if (destination.method == ForwardingMethod::local) return not_carried("the forwarding method local", where);
  if (destination.upper_threshold != 0 || destination.lower_threshold != 0) {
    return not_carried("connection thresholds", where);
  }
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
