// SPDX-License-Identifier: Apache-2.0
// The daemon's unix socket as a file: lock, bind, permissions, peer credentials.
#include "api/listener.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace limpet::api {
namespace {

constexpr int kBacklog = 128;

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::invalid, "the path " + text + " is too long for a unix socket (107 bytes)"};
  }
  std::copy(text.begin(), text.end(), address.sun_path);
  return address;
}

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

// The mode comes from the umask at bind, so that there is no moment at which others may connect.
int bind_with_mode_0660(int socket, const sockaddr_un& address) {
  const mode_t before = ::umask(0117);
  const int outcome = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  return outcome;
}

}  // namespace

std::filesystem::path socket_path(const std::filesystem::path& run_directory) { return run_directory / "limpetd.sock"; }

std::optional<gid_t> limpet_group() {
  group entry{};
  group* found = nullptr;
  std::array<char, 16384> strings;
  if (::getgrnam_r("limpet", &entry, strings.data(), strings.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return found->gr_gid;
}

Result<Listener> Listener::open(const std::filesystem::path& run_directory, std::optional<gid_t> group) {
  const std::filesystem::path path = socket_path(run_directory);
  std::error_code failure;
  std::filesystem::create_directories(run_directory, failure);
  if (failure) return system_error(run_directory.native(), failure.value());
  const auto address = address_of(path);
  if (!address) return address.error();
  auto lock = lock_run_directory(run_directory, path);
  if (!lock) return lock.error();

  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return system_error("unix socket", errno);
  ::unlink(path.c_str());  // we hold the lock: what is left there is a dead daemon's
  if (bind_with_mode_0660(socket.get(), *address) != 0) return system_error(path.native(), errno);
  Listener listener(path, group, std::move(*lock), std::move(socket));
  if (group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    return system_error("giving " + path.native() + " to its group", errno);
  }
  if (::listen(listener.descriptor(), kBacklog) != 0) return system_error(path.native(), errno);
  return listener;
}

Listener::Listener(std::filesystem::path path, std::optional<gid_t> group, Descriptor lock, Descriptor socket)
    : path_(std::move(path)), group_(group), lock_(std::move(lock)), socket_(std::move(socket)) {}

Listener::~Listener() {
  if (socket_) ::unlink(path_.c_str());  // before the lock goes, so that it is never a successor's
}

bool peer_is_allowed(int connection, std::optional<gid_t> group) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  if (peer.uid == 0 || peer.uid == ::geteuid()) return true;
  if (!group) return false;
  if (peer.gid == *group) return true;
  std::vector<gid_t> groups(65536 / sizeof(gid_t));
  length = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) != 0) return false;
  groups.resize(length / sizeof(gid_t));
  return std::find(groups.begin(), groups.end(), *group) != groups.end();
}

}  // namespace limpet::api
