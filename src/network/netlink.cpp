// SPDX-License-Identifier: Apache-2.0
// The rtnetlink socket itself: requests, acknowledgements, dumps, and the text of what went wrong.
#include "network/netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

#include "network/netlink_message.h"

namespace limpet::network {
namespace {

constexpr int kPatienceSeconds = 5;
constexpr int kDumpAttempts = 8;  // a dump is repeated when the table changed under it

void enable(int descriptor, int option) {
  const int on = 1;  // a kernel without the option only loses its text or its filter, which callers repeat
  setsockopt(descriptor, SOL_NETLINK, option, &on, sizeof on);
}

// The kernel's own words on an error (NLMSGERR_ATTR_MSG), if it gave any.
std::string kernel_words(nlmsghdr* message) {
  if ((message->nlmsg_flags & NLM_F_ACK_TLVS) == 0 || !nlmsg_valid_hdr(message, sizeof(nlmsgerr))) return {};
  const auto* error = static_cast<const nlmsgerr*>(nlmsg_data(message));
  std::size_t before = sizeof(nlmsgerr);
  if ((message->nlmsg_flags & NLM_F_CAPPED) == 0 && error->msg.nlmsg_len > sizeof(nlmsghdr)) {
    before += error->msg.nlmsg_len - sizeof(nlmsghdr);  // without CAP_ACK the request is echoed behind its header
  }
  if (before > static_cast<std::size_t>(nlmsg_datalen(message))) return {};
  return Attributes(message, NLMSG_ALIGN(before)).text(NLMSGERR_ATTR_MSG);
}

Error refusal(const std::string& doing, int error_number, const std::string& words) {
  Error error = system_error(doing, error_number);
  if (!words.empty()) error.text += " (" + words + ")";
  return error;
}

// What a message means for the exchange it belongs to.
struct Verdict {
  bool finished = false;
  int error_number = 0;
};

Verdict verdict_of(nlmsghdr* message) {
  if (message->nlmsg_type != NLMSG_ERROR && message->nlmsg_type != NLMSG_DONE) return {};
  const bool has_number = nlmsg_valid_hdr(message, sizeof(int));
  const int number = has_number ? *static_cast<const int*>(nlmsg_data(message)) : 0;
  return {.finished = true, .error_number = number < 0 ? -number : 0};
}

}  // namespace

void Netlink::CloseSocket::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<Netlink> Netlink::open() {
  Netlink netlink(nl_socket_alloc());
  if (!netlink.socket_) return system_error("opening a routing socket", ENOMEM);
  if (nl_connect(netlink.socket_.get(), NETLINK_ROUTE) != 0) return system_error("opening a routing socket", errno);
  const int descriptor = nl_socket_get_fd(netlink.socket_.get());
  enable(descriptor, NETLINK_EXT_ACK);
  enable(descriptor, NETLINK_CAP_ACK);
  enable(descriptor, NETLINK_GET_STRICT_CHK);
  const timeval patience{.tv_sec = kPatienceSeconds, .tv_usec = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return netlink;
}

Result<Replies> Netlink::exchange(Message& message, const std::string& doing, std::initializer_list<int> fine) {
  nlmsg_hdr(message.get())->nlmsg_seq = NL_AUTO_SEQ;
  if (nl_send_auto(socket_.get(), message.get()) < 0) return system_error(doing, errno);
  const std::uint32_t sequence = nlmsg_hdr(message.get())->nlmsg_seq;

  Replies replies;
  while (true) {
    sockaddr_nl sender{};
    unsigned char* buffer = nullptr;
    errno = ETIMEDOUT;
    const int size = nl_recv(socket_.get(), &sender, &buffer, nullptr);
    if (size <= 0) return system_error(doing, errno == EAGAIN || size == 0 ? ETIMEDOUT : errno);
    replies.keep(buffer);
    int left = size;
    void* start = buffer;
    for (auto* reply = static_cast<nlmsghdr*>(start); nlmsg_ok(reply, left); reply = nlmsg_next(reply, &left)) {
      // Answers to an earlier request that timed out may still arrive.
      if (reply->nlmsg_seq != sequence || sender.nl_pid != 0) continue;
      if ((reply->nlmsg_flags & NLM_F_DUMP_INTR) != 0) replies.mark_interrupted();
      const Verdict verdict = verdict_of(reply);
      if (verdict.error_number != 0 && std::find(fine.begin(), fine.end(), verdict.error_number) == fine.end()) {
        return refusal(doing, verdict.error_number, kernel_words(reply));
      }
      if (verdict.finished) return replies;
      replies.add(reply);
    }
  }
}

Result<Replies> Netlink::request(Message& message, const std::string& doing, std::initializer_list<int> fine) {
  nlmsg_hdr(message.get())->nlmsg_flags |= NLM_F_ACK;
  return exchange(message, doing, fine);
}

Result<void> Netlink::change(Message& message, const std::string& doing, std::initializer_list<int> fine) {
  const auto replies = request(message, doing, fine);
  if (!replies) return replies.error();
  return {};
}

Result<Replies> Netlink::dump(Message& message, const std::string& doing) {
  nlmsg_hdr(message.get())->nlmsg_flags |= NLM_F_DUMP;
  // A table that was never used does not exist: to its reader that is an empty one.
  auto replies = exchange(message, doing, {ENOENT});
  for (int attempt = 1; replies && replies->interrupted() && attempt < kDumpAttempts; ++attempt) {
    replies = exchange(message, doing, {ENOENT});
  }
  if (replies && replies->interrupted()) return system_error(doing, EBUSY);
  return replies;
}

}  // namespace limpet::network
