// SPDX-License-Identifier: Apache-2.0
// An abstract unix socket belongs to a network namespace, and the kernel frees it with the process.
#include "director/claim.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <thread>

namespace limpet {
namespace {

constexpr int kAttempts = 25;
constexpr std::chrono::milliseconds kPause{20};

}  // namespace

Result<NamespaceClaim> NamespaceClaim::take() {
  constexpr char kName[] = "\0limpetd";
  NamespaceClaim claim(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (claim.fd_ < 0) return system_error("cannot make a socket", errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, kName, sizeof(kName) - 1);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + sizeof(kName) - 1);
  // One that is ending has given up its API socket, by which others see it end, a moment before this one.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (::bind(claim.fd_, reinterpret_cast<const sockaddr*>(&address), length) == 0) return claim;
    if (errno != EADDRINUSE) return system_error("cannot bind the socket @limpetd", errno);
    std::this_thread::sleep_for(kPause);
  }
  return Error{
      ErrorCode::internal,
      "another limpetd serves this network namespace (`ss -xap src @limpetd` names the process): end it first"};
}

NamespaceClaim::~NamespaceClaim() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace limpet
