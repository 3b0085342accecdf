// SPDX-License-Identifier: Apache-2.0
// connect(), and asking for a file.
#include "preload/limpetd.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "ipvs_netlink/protocol.h"
#include "preload/next.h"

LIMPET_NEXT(sendmsg)
LIMPET_NEXT(recvmsg)
LIMPET_NEXT(setsockopt)
LIMPET_NEXT(getsockopt)

namespace limpet::preload {
namespace {

constexpr const char* kUsualDirectory = "/run/limpet";
constexpr time_t kPatience = 30;  // seconds, as of limpet's other clients

bool set_address(sockaddr_un* address) {
  const char* directory = ::getenv("LIMPET_RUN_DIR");
  if (directory == nullptr || *directory == '\0') directory = kUsualDirectory;
  const std::size_t length = std::strlen(directory);
  if (length + sizeof "/" LIMPET_IPVS_SOCKET > sizeof address->sun_path) return false;
  address->sun_family = AF_UNIX;
  std::memcpy(address->sun_path, directory, length);
  std::memcpy(address->sun_path + length, "/" LIMPET_IPVS_SOCKET, sizeof "/" LIMPET_IPVS_SOCKET);
  return true;
}

int fail(int socket, int error) {
  if (socket >= 0) ::close(socket);
  errno = error;
  return -1;
}

struct FileRequest {
  nlmsghdr header;
  char name[64];
};

struct FileAnswer {
  nlmsghdr header;
  nlmsgerr error;
  char quoted[sizeof(FileRequest)];
};

// The descriptor that came along; -1 and errno: none did.
int take_descriptor(msghdr* message, const FileAnswer& answer, ssize_t length) {
  constexpr ssize_t kLeast = sizeof answer.header + sizeof answer.error.error;
  if (length < kLeast || answer.header.nlmsg_type != NLMSG_ERROR) return fail(-1, EPROTO);
  const cmsghdr* control = CMSG_FIRSTHDR(message);
  if (control == nullptr || control->cmsg_type != SCM_RIGHTS) {
    return fail(-1, answer.error.error != 0 ? -answer.error.error : EPROTO);
  }
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(control), sizeof descriptor);
  return descriptor;
}

}  // namespace

Cookie cookie_of(int fd, int option) {
  Cookie cookie = 0;
  socklen_t length = sizeof cookie;
  return getsockopt_next()(fd, SOL_SOCKET, option, &cookie, &length) == 0 ? cookie : 0;
}

int connect_to_limpetd() {
  sockaddr_un address{};
  if (!set_address(&address)) return fail(-1, ENAMETOOLONG);
  const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  const timeval patience{kPatience, 0};
  setsockopt_next()(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt_next()(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail(socket, errno);
  return socket;
}

int open_of_limpetd(const char* name) {
  FileRequest request{};
  const std::size_t length = std::strlen(name);
  if (length >= sizeof request.name) return fail(-1, ENOENT);
  std::memcpy(request.name, name, length);
  request.header.nlmsg_len = static_cast<__u32>(NLMSG_HDRLEN + length + 1);
  request.header.nlmsg_type = LIMPET_IPVS_OPEN;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;

  const int socket = connect_to_limpetd();
  if (socket < 0) return -1;
  FileAnswer answer{};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec piece{&request, request.header.nlmsg_len};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (sendmsg_next()(socket, &message, MSG_NOSIGNAL) < 0) return fail(socket, errno);
  piece = {&answer, sizeof answer};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t received = recvmsg_next()(socket, &message, MSG_CMSG_CLOEXEC);
  if (received < 0) return fail(socket, errno);
  const int descriptor = take_descriptor(&message, answer, received);
  const int error = errno;
  ::close(socket);
  errno = error;
  return descriptor;
}

}  // namespace limpet::preload
