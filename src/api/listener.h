// SPDX-License-Identifier: Apache-2.0
// The daemon's unix socket as a file, and its lock: one daemon a run directory.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "model/result.h"
#include "unix_socket/descriptor.h"
#include "unix_socket/socket_file.h"

namespace limpet::api {

// The name of the socket in a run directory; its lock file is this with ".lock" behind.
std::filesystem::path socket_path(const std::filesystem::path& run_directory);

// Open it before anything in the kernel is touched: it also is the lock that keeps a second limpetd from doing harm.
class Listener {
 public:
  // Errors: internal "another limpetd is serving RUN_DIR", or the system call that failed.
  static Result<Listener> open(const std::filesystem::path& run_directory, std::optional<gid_t> group);

  int descriptor() const { return file_.descriptor(); }
  std::optional<gid_t> group() const { return file_.group(); }

 private:
  Listener(Descriptor lock, SocketFile file);

  Descriptor lock_;
  SocketFile file_;  // goes before the lock, so that it is never a successor's
};

}  // namespace limpet::api
