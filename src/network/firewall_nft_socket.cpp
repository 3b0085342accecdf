// SPDX-License-Identifier: Apache-2.0
// nf_tables requests by libmnl.
#include "network/firewall_nft_socket.h"

#include <libnftnl/common.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#include <cerrno>

namespace limpet::network {
namespace {

/// A dump fills as much as the reader offers, up to 32 KiB a message.
constexpr std::size_t kReceiveBytes = 65536;
/// Requests carry a few names and one key.
constexpr std::size_t kRequestBytes = 4096;

int pass_to_callback(const nlmsghdr* message, void* receive) {
  (*static_cast<const NftSocket::Receive*>(receive))(message);
  return MNL_CB_OK;
}

}  // namespace

bool NftSocket::open() {
  if (socket_) return true;
  socket_.reset(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC));
  if (socket_ && mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) socket_.reset();
  return socket_ != nullptr;
}

int NftSocket::request(std::uint16_t type, std::uint16_t family, std::uint16_t flags, const Build& build,
                       const Receive& receive) {
  if (!open()) return errno;
  buffer_.resize(kReceiveBytes);
  std::vector<char> room(kRequestBytes);
  nlmsghdr* message = nftnl_nlmsg_build_hdr(room.data(), type, family, flags, ++sequence_);
  if (build) build(message);
  const int error = exchange(message, receive);
  if (error != 0) socket_.reset();  // what is left of the replies must not be taken for the next request's
  return error;
}

std::optional<std::uint64_t> NftSocket::namespace_cookie() {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (!open()) return std::nullopt;
  const int fd = mnl_socket_get_fd(socket_.get());
  if (::getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) return std::nullopt;
  return cookie;
}

int NftSocket::exchange(const nlmsghdr* message, const Receive& receive) {
  if (mnl_socket_sendto(socket_.get(), message, message->nlmsg_len) < 0) return errno;
  const unsigned port = mnl_socket_get_portid(socket_.get());
  Receive callback = receive;
  for (int state = MNL_CB_OK; state > MNL_CB_STOP;) {
    const ssize_t received = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
    if (received < 0) return errno;
    state =
        mnl_cb_run(buffer_.data(), static_cast<std::size_t>(received), sequence_, port, pass_to_callback, &callback);
    if (state < 0) return errno;
  }
  return 0;
}

}  // namespace limpet::network
