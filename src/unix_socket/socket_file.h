// SPDX-License-Identifier: Apache-2.0
// A unix socket as a file in the run directory: mode 0660, this user's, the group as given. The file goes with the
// object.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "model/result.h"
#include "unix_socket/descriptor.h"

namespace limpet {

class SocketFile {
 public:
  // Bound and listening; clients that come early wait in its backlog. What is at `path` is replaced: the caller holds
  // the run directory's lock, so it is a dead daemon's. `type`: SOCK_STREAM, SOCK_SEQPACKET.
  static Result<SocketFile> listen(const std::filesystem::path& path, int type, std::optional<gid_t> group);

  SocketFile(SocketFile&&) noexcept = default;
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile();

  int descriptor() const { return socket_.get(); }
  std::optional<gid_t> group() const { return group_; }

 private:
  SocketFile(std::filesystem::path path, std::optional<gid_t> group, Descriptor socket);

  std::filesystem::path path_;
  std::optional<gid_t> group_;
  Descriptor socket_;
};

}  // namespace limpet
