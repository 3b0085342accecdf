// SPDX-License-Identifier: Apache-2.0
// The daemon's unix socket as a file: one daemon a run directory, who may connect, and a dead daemon's leftovers.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "api/descriptor.h"
#include "model/result.h"

namespace limpet::api {

// The name of the socket in a run directory; its lock file is this with ".lock" behind.
std::filesystem::path socket_path(const std::filesystem::path& run_directory);

// The group `limpet`, if this host has one: its members may use the API besides root.
std::optional<gid_t> limpet_group();

// A bound and listening socket, mode 0660, owner this process's user, group as given. Open it before anything in the
// kernel is touched: it also is the lock that keeps a second limpetd from doing harm, and clients that come early wait
// in its backlog. The socket file goes with the object.
class Listener {
 public:
  // Errors: internal "another limpetd is serving RUN_DIR", or the system call that failed.
  static Result<Listener> open(const std::filesystem::path& run_directory, std::optional<gid_t> group);

  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  int descriptor() const { return socket_.get(); }
  std::optional<gid_t> group() const { return group_; }

 private:
  Listener(std::filesystem::path path, std::optional<gid_t> group, Descriptor lock, Descriptor socket);

  std::filesystem::path path_;
  std::optional<gid_t> group_;
  Descriptor lock_;
  Descriptor socket_;
};

// Whether the process at the other end is root, this process's own user or in `group`. The socket's mode says so
// already; a run directory that someone opened by chmod must not be enough.
bool peer_is_allowed(int connection, std::optional<gid_t> group);

}  // namespace limpet::api
