// SPDX-License-Identifier: Apache-2.0
// bind(), permissions, listen().
#include "unix_socket/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <utility>

#include "unix_socket/unix_address.h"

namespace limpet {
namespace {

constexpr int kBacklog = 128;

// The mode comes from the umask at bind, so that there is no moment at which others may connect.
int bind_with_mode_0660(int socket, const sockaddr_un& address) {
  const mode_t before = ::umask(0117);
  const int outcome = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  return outcome;
}

}  // namespace

Result<SocketFile> SocketFile::listen(const std::filesystem::path& path, int type, std::optional<gid_t> group) {
  const auto address = unix_address(path);
  if (!address) return address.error();
  Descriptor socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return system_error("unix socket", errno);
  ::unlink(path.c_str());
  if (bind_with_mode_0660(socket.get(), *address) != 0) return system_error(path.native(), errno);
  SocketFile file(path, group, std::move(socket));
  if (group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    return system_error("giving " + path.native() + " to its group", errno);
  }
  if (::listen(file.descriptor(), kBacklog) != 0) return system_error(path.native(), errno);
  return file;
}

SocketFile::SocketFile(std::filesystem::path path, std::optional<gid_t> group, Descriptor socket)
    : path_(std::move(path)), group_(group), socket_(std::move(socket)) {}

SocketFile::~SocketFile() {
  if (socket_) ::unlink(path_.c_str());
}

}  // namespace limpet
