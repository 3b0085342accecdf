// SPDX-License-Identifier: Apache-2.0
// recvmsg(), sendmsg() and write() that come back at once, and waiting in the loop where they could not.
#include "ipvs_netlink/channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace limpet::ipvs_netlink {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using boost::system::error_code;

// An answer and its acknowledgement are two datagrams and one call. Returns how many were taken; -1: none, and errno.
int send_now(int socket, std::span<const Bytes> datagrams, int pass) {
  if (datagrams.size() == 1 && pass < 0) {  // nearly always
    const Bytes& only = datagrams.front();
    return ::send(socket, only.data(), only.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 1;
  }
  constexpr std::size_t kAtOnce = 2;
  std::array<iovec, kAtOnce> pieces{};
  std::array<mmsghdr, kAtOnce> messages{};
  const std::size_t count = std::min(datagrams.size(), kAtOnce);
  for (std::size_t i = 0; i < count; ++i) {
    pieces[i] = {const_cast<std::uint8_t*>(datagrams[i].data()), datagrams[i].size()};
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof pass)] = {};
  if (pass >= 0) {
    messages[0].msg_hdr.msg_control = control;
    messages[0].msg_hdr.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&messages[0].msg_hdr);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof pass);
    std::memcpy(CMSG_DATA(header), &pass, sizeof pass);
  }
  return ::sendmmsg(socket, messages.data(), static_cast<unsigned>(count), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Channel::Channel(asio::io_context& loop, Descriptor descriptor)
    : descriptor_(std::make_shared<stream_descriptor>(loop, descriptor.release())), timer_(loop) {}

// In the coroutines below no co_await stands within &&, ?: or the like: g++ 12 miscompiles some of these.
// It waits first, so that a client that asks without end leaves room for others between its questions; but the first
// question is there mostly when its connection is.
asio::awaitable<std::size_t> Channel::receive(Bytes& buffer) {
  for (;;) {
    error_code error;
    if (!std::exchange(fresh_, false)) {
      co_await descriptor_->async_wait(stream_descriptor::wait_read, asio::redirect_error(asio::use_awaitable, error));
    }
    if (error || !descriptor_->is_open()) co_return 0;
    const ssize_t length = ::recv(descriptor_->native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (length <= 0 || static_cast<std::size_t>(length) > buffer.size()) co_return 0;
    co_return static_cast<std::size_t>(length);
  }
}

asio::awaitable<bool> Channel::send(std::span<const Bytes> datagrams, std::chrono::milliseconds patience, int pass) {
  while (!datagrams.empty()) {
    if (!descriptor_->is_open()) co_return false;
    const int sent = send_now(descriptor_->native_handle(), datagrams, pass);
    if (sent > 0) {
      datagrams = datagrams.subspan(static_cast<std::size_t>(sent));
      pass = -1;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return false;
    const bool writable = co_await wait_until_writable(patience);
    if (!writable) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Channel::write(std::string_view text, std::chrono::milliseconds patience) {
  while (!text.empty()) {
    if (!descriptor_->is_open()) co_return false;
    const ssize_t written = ::write(descriptor_->native_handle(), text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return false;
    const bool writable = co_await wait_until_writable(patience);
    if (!writable) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Channel::wait_until_writable(std::chrono::milliseconds patience) {
  error_code error;
  timer_.expires_after(patience);
  // Not of this object: it may run when that has gone.
  timer_.async_wait([weak = std::weak_ptr(descriptor_)](const error_code& no_timeout) {
    const auto descriptor = weak.lock();
    error_code ignored;
    if (!no_timeout && descriptor) descriptor->cancel(ignored);
  });
  co_await descriptor_->async_wait(stream_descriptor::wait_write, asio::redirect_error(asio::use_awaitable, error));
  timer_.cancel();
  co_return !error;
}

asio::awaitable<void> Channel::yield() { co_await asio::post(timer_.get_executor(), asio::use_awaitable); }

bool Channel::has_more() const {
  if (!descriptor_->is_open()) return true;
  char byte;
  return ::recv(descriptor_->native_handle(), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

void Channel::close() {
  error_code ignored;
  timer_.cancel();
  descriptor_->close(ignored);
}

}  // namespace limpet::ipvs_netlink
