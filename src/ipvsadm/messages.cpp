// SPDX-License-Identifier: Apache-2.0
// The table of libipvs, as far as limpet has the same errors.
#include "ipvsadm/messages.h"

namespace limpet::ipvsadm {

bool is_unreachable(const Error& error) {
  return error.code == ErrorCode::not_running || error.code == ErrorCode::permission ||
         error.code == ErrorCode::other_namespace;
}

std::string error_text(const Error& error) {
  switch (error.code) {
    case ErrorCode::service_exists:
      return "Service already exists";
    case ErrorCode::no_such_service:
      return "No such service";
    case ErrorCode::service_not_defined:
      return "Service not defined";
    case ErrorCode::destination_exists:
      return "Destination already exists";
    case ErrorCode::no_such_destination:
      return "No such destination";
    case ErrorCode::scheduler_not_found:
      return "Scheduler or persistence engine not found";
    case ErrorCode::sync_daemon_runs:
      return "Daemon has already run";
    case ErrorCode::no_sync_daemon:
      return "No daemon is running";
    case ErrorCode::no_such_device:
      return "No such device";
    case ErrorCode::invalid:
      return "Invalid operation.  Possibly wrong module version, address not unicast, ...";
    case ErrorCode::out_of_range:
      return "Numerical result out of range";
    case ErrorCode::family_not_supported:
      return "Operation not supported with specified address family";
    case ErrorCode::not_running:
    case ErrorCode::permission:
    case ErrorCode::other_namespace:
      return "Can't reach limpetd: " + error.text;
    case ErrorCode::no_such_setting:
    case ErrorCode::not_supported:
    case ErrorCode::no_space:
    case ErrorCode::bad_request:
    case ErrorCode::internal:
      break;
  }
  return error.text.empty() ? "The command failed" : error.text;
}

}  // namespace limpet::ipvsadm
