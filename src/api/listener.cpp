// SPDX-License-Identifier: Apache-2.0
// The run directory's lock, then the socket.
#include "api/listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

namespace limpet::api {
namespace {

// A lock, not a connect: a stopped or overloaded daemon still counts, and two daemons that start at once cannot both
// win. The file stays, since removing a lock file lets two processes hold "the" lock.
Result<Descriptor> lock_run_directory(const std::filesystem::path& run_directory, const std::filesystem::path& path) {
  const std::string lock_path = path.native() + ".lock";
  Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return system_error(lock_path, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return system_error(lock_path, errno);
  return Error{ErrorCode::internal, "another limpetd is serving " + run_directory.native() +
                                        ": stop it first, or set LIMPET_RUN_DIR to another directory"};
}

}  // namespace

std::filesystem::path socket_path(const std::filesystem::path& run_directory) { return run_directory / "limpetd.sock"; }

Result<Listener> Listener::open(const std::filesystem::path& run_directory, std::optional<gid_t> group) {
  const std::filesystem::path path = socket_path(run_directory);
  std::error_code failure;
  std::filesystem::create_directories(run_directory, failure);
  if (failure) return system_error(run_directory.native(), failure.value());
  auto lock = lock_run_directory(run_directory, path);
  if (!lock) return lock.error();
  auto file = SocketFile::listen(path, SOCK_STREAM, group);
  if (!file) return file.error();
  return Listener(std::move(*lock), std::move(*file));
}

Listener::Listener(Descriptor lock, SocketFile file) : lock_(std::move(lock)), file_(std::move(file)) {}

}  // namespace limpet::api
