// SPDX-License-Identifier: Apache-2.0
// A value or the reason why there is none: for everything a user, a file or a peer can cause.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace limpet {

// What went wrong, in the terms of IPVS (reference: the errno table of libipvs and the kernel's ip_vs_ctl.c). Every
// entrance translates these to its own language: limpetadm to ipvsadm's texts and exit codes, HTTP to problem
// documents.
enum class ErrorCode {
  service_exists,        // -A of a service that is there (EEXIST)
  no_such_service,       // -E, -D, -Z, -L of a service that is not there (ESRCH)
  service_not_defined,   // -a, -e, -d on a service that is not there (ESRCH)
  destination_exists,    // -a of a real server that is there (EEXIST)
  no_such_destination,   // -e, -d of a real server that is not there (ENOENT)
  scheduler_not_found,   // unknown scheduler or persistence engine (ENOENT)
  sync_daemon_runs,      // --start-daemon of one that runs (EEXIST)
  no_sync_daemon,        // --stop-daemon of one that does not (ESRCH)
  no_such_device,        // ENODEV: a synchronisation daemon's interface
  no_such_setting,       // ENOENT: a name under net.ipv4.vs
  invalid,               // EINVAL: address not unicast, mask out of range, ...
  out_of_range,          // ERANGE: lower threshold above the upper one
  family_not_supported,  // EAFNOSUPPORT
  not_supported,         // the data plane cannot carry it yet; the text names it
  no_space,              // a table is at its configured ceiling; the text names it
  permission,            // may not talk to the daemon, or lacks a privilege
  not_running,           // no limpetd answers
  other_namespace,       // the limpetd that answers serves another network namespace
  bad_request,           // malformed request or unknown path
  internal,              // a system call failed; the text says which and why
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string text;  // one plain sentence naming the offending thing; may be empty where the code says it all
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  // Precondition of value(), * and ->: the result holds a value.
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  // Precondition: the result holds an error.
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  explicit operator bool() const { return ok_; }
  const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

// errno as text: "what: No such file or directory".
Error system_error(const std::string& what, int error_number);

}  // namespace limpet
