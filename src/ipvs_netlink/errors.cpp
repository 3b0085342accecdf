// SPDX-License-Identifier: Apache-2.0
// Which errno tells what.
#include "ipvs_netlink/errors.h"

#include <cerrno>
#include <variant>

#include "model/carried.h"

namespace limpet::ipvs_netlink {
namespace {

const Service* service_of(const Command& command) {
  if (const auto* add = std::get_if<AddService>(&command)) return &add->service;
  if (const auto* edit = std::get_if<EditService>(&command)) return &edit->service;
  return nullptr;
}

bool has_ipv6_destination(const Command& command) {
  const auto is_ipv6 = [](const Destination& each) { return each.key.address.family() == Family::ipv6; };
  if (const auto* add = std::get_if<AddDestination>(&command)) return is_ipv6(add->destination);
  if (const auto* edit = std::get_if<EditDestination>(&command)) return is_ipv6(edit->destination);
  return false;
}

// Whether the same service would be carried with another scheduler and without an engine.
bool scheduler_is_to_blame(Service service) {
  service.scheduler = "rr";
  service.persistence_engine.clear();
  return static_cast<bool>(carried(AddService{service}));
}

int errno_of_not_carried(const Command& command) {
  if (has_ipv6_destination(command)) return EAFNOSUPPORT;
  const Service* service = service_of(command);
  if (service == nullptr) return EOPNOTSUPP;
  if (service->key.family == Family::ipv6) return EAFNOSUPPORT;
  if (service->key.protocol == Protocol::sctp) return EPROTONOSUPPORT;
  return scheduler_is_to_blame(*service) ? ENOENT : EOPNOTSUPP;
}

}  // namespace

int errno_of(const Error& error, const Command& command) {
  switch (error.code) {
    case ErrorCode::service_exists:
    case ErrorCode::destination_exists:
    case ErrorCode::sync_daemon_runs:
      return EEXIST;
    case ErrorCode::no_such_service:
    case ErrorCode::service_not_defined:
    case ErrorCode::no_sync_daemon:
      return ESRCH;
    case ErrorCode::no_such_destination:
    case ErrorCode::scheduler_not_found:
    case ErrorCode::no_such_setting:
      return ENOENT;
    case ErrorCode::no_such_device:
      return ENODEV;
    case ErrorCode::invalid:
    case ErrorCode::bad_request:
      return EINVAL;
    case ErrorCode::out_of_range:
      return ERANGE;
    case ErrorCode::family_not_supported:
      return EAFNOSUPPORT;
    case ErrorCode::not_supported:
      return errno_of_not_carried(command);
    case ErrorCode::no_space:
      return ENOMEM;
    case ErrorCode::permission:
      return EPERM;
    case ErrorCode::not_running:
    case ErrorCode::other_namespace:
    case ErrorCode::internal:
      break;
  }
  return EBUSY;
}

}  // namespace limpet::ipvs_netlink
