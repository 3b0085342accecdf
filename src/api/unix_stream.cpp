// SPDX-License-Identifier: Apache-2.0
// The client's end of the daemon's unix socket.
#include "api/unix_stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

#include <boost/asio/error.hpp>

#include "unix_socket/unix_address.h"

namespace limpet::api {
namespace {

Error connect_error(const std::filesystem::path& path, int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
      return {ErrorCode::not_running,
              "no limpetd answers at " + path.native() + ": start it with `limpetd` or set LIMPET_RUN_DIR"};
    case EACCES:
    case EPERM:
      return {ErrorCode::permission,
              "no permission to talk to limpetd at " + path.native() + ": be root or a member of the group limpet"};
    default:
      return system_error(path.native(), error_number);
  }
}

boost::system::error_code last_error() { return {errno, boost::system::system_category()}; }

}  // namespace

Result<UnixStream> UnixStream::connect(const std::filesystem::path& path) {
  const auto address = unix_address(path);
  if (!address) return address.error();
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return system_error("unix socket", errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return connect_error(path, errno);
  }
  return UnixStream(std::move(socket));
}

bool UnixStream::is_stale() const {
  char byte = 0;
  const ssize_t count = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool UnixStream::wait_for(short events, boost::system::error_code& error) const {
  pollfd waiting{socket_.get(), events, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(patience_.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) error = last_error();
  if (ready == 0) error = boost::asio::error::make_error_code(boost::asio::error::timed_out);
  return ready > 0;
}

std::size_t UnixStream::receive(void* data, std::size_t size, boost::system::error_code& error) {
  error = {};
  if (!wait_for(POLLIN, error)) return 0;
  const ssize_t count = ::recv(socket_.get(), data, size, 0);
  if (count < 0) error = last_error();
  if (count == 0) error = boost::asio::error::make_error_code(boost::asio::error::eof);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

std::size_t UnixStream::send(const void* data, std::size_t size, boost::system::error_code& error) {
  error = {};
  for (;;) {
    if (!wait_for(POLLOUT, error)) return 0;
    // MSG_DONTWAIT: a blocking send waits for room for the whole piece, beyond our patience.
    const ssize_t count = ::send(socket_.get(), data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN || errno == EINTR) continue;
    error = last_error();
    return 0;
  }
}

}  // namespace limpet::api
