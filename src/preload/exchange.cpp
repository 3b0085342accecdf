// SPDX-License-Identifier: Apache-2.0
// The process' own connection. Nobody knows of its descriptor, so it is looked at before each use: a program may have
// closed it with all the others, and a child has a copy of it.
#include "preload/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <unistd.h>

#include <cstring>

#include "ipvs_netlink/protocol.h"
#include "preload/limpetd.h"
#include "preload/next.h"

LIMPET_NEXT(recv)
LIMPET_NEXT(send)

namespace limpet::preload {
namespace {

constexpr int kLeastDescriptor = 100;  // out of the way of programs that count on the lowest
constexpr std::size_t kLongestQuestion = 4096;

struct Line {
  int socket = -1;
  pid_t process = 0;
  uid_t user = 0;      // whom limpetd takes this process for: one that has given up its rights is asked anew
  Cookie cookie = 0;   // of the socket
  Cookie network = 0;  // the namespace it belongs to
  // limpetd's answer to the question for the family.
  unsigned char family[128];
  std::size_t family_length = 0;
};
Line line;
bool in_use;

// A program may have closed the descriptor, whose number may be another's now.
bool is_ours() { return line.socket >= 0 && cookie_of(line.socket, SO_COOKIE) == line.cookie; }

void hang_up() {
  if (is_ours()) ::close(line.socket);
  line.socket = -1;
}

// Of this process: false while another thread is asking, or this one in what a signal has interrupted.
bool take_line() {
  const pid_t self = ::getpid();
  if (line.process != self) {  // a child, which is one thread as yet
    hang_up();
    line.process = self;
    __atomic_store_n(&in_use, false, __ATOMIC_RELEASE);
  }
  return !__atomic_exchange_n(&in_use, true, __ATOMIC_ACQUIRE);
}
void give_back_line() { __atomic_store_n(&in_use, false, __ATOMIC_RELEASE); }

// Whether limpetd is at the other end, and quiet.
bool is_alive() {
  char byte;
  return line.socket >= 0 && recv_next()(line.socket, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         errno == EAGAIN;
}

ssize_t receive_on_line(void* to, std::size_t room, int flags) {
  ssize_t received;
  do received = recv_next()(line.socket, to, room, flags);
  while (received < 0 && errno == EINTR);
  return received;
}

bool send_on_line(const void* bytes, std::size_t length) {
  ssize_t sent;
  do sent = send_next()(line.socket, bytes, length, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

bool is_for(Cookie network) { return line.network == network && line.user == ::geteuid(); }

unsigned type_of(const unsigned char* datagram) {
  nlmsghdr header;
  std::memcpy(&header, datagram, sizeof header);
  return header.nlmsg_type;
}

// limpetd is asked once a connection whether this namespace is the one it serves.
bool learn_family() {
  struct {
    nlmsghdr header;
    genlmsghdr generic;
    nlattr attribute;
    char name[NLMSG_ALIGN(sizeof IPVS_GENL_NAME)];
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = GENL_ID_CTRL;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.generic.cmd = CTRL_CMD_GETFAMILY;
  question.attribute.nla_len = NLA_HDRLEN + sizeof IPVS_GENL_NAME;
  question.attribute.nla_type = CTRL_ATTR_FAMILY_NAME;
  std::memcpy(question.name, IPVS_GENL_NAME, sizeof IPVS_GENL_NAME);
  if (!send_on_line(&question, sizeof question)) return false;
  const ssize_t length = receive_on_line(line.family, sizeof line.family, 0);
  if (length < static_cast<ssize_t>(NLMSG_HDRLEN) || type_of(line.family) != GENL_ID_CTRL) return false;
  line.family_length = static_cast<std::size_t>(length);
  return true;
}

bool connect_line(Cookie network) {
  const int low = connect_to_limpetd();
  if (low < 0) return false;
  const int high = ::fcntl(low, F_DUPFD_CLOEXEC, kLeastDescriptor);
  line.socket = high >= 0 ? high : low;
  if (high >= 0) ::close(low);
  line.cookie = cookie_of(line.socket, SO_COOKIE);
  line.network = cookie_of(line.socket, SO_NETNS_COOKIE);
  line.user = ::geteuid();
  // A socket of another namespace than its maker is now in is not for this limpetd.
  if (line.network == network && learn_family()) return true;
  hang_up();
  errno = ENOENT;
  return false;
}

// One message, as a datagram with an acknowledgement, so that the end of its answer can be told. 0: it is none.
std::size_t write_question(const msghdr* message, const Looked& looked, unsigned char* to) {
  nlmsghdr header;
  std::memcpy(&header, looked.bytes, sizeof header);
  if (looked.length > kLongestQuestion || NLMSG_ALIGN(header.nlmsg_len) < looked.length) return 0;
  if ((header.nlmsg_flags & NLM_F_REQUEST) == 0) return 0;
  std::size_t length = 0;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    std::memcpy(to + length, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    length += message->msg_iov[i].iov_len;
  }
  header.nlmsg_flags |= NLM_F_ACK;
  std::memcpy(to, &header, sizeof header);
  return length;
}

int error_of(const unsigned char* datagram) {
  int error;
  std::memcpy(&error, datagram + NLMSG_HDRLEN, sizeof error);
  return error;
}

// Of a list: whether this datagram is its end as well.
bool ends_list(const unsigned char* bytes, std::size_t length) {
  std::size_t offset = 0;
  while (offset + sizeof(nlmsghdr) <= length) {
    nlmsghdr header;
    std::memcpy(&header, bytes + offset, sizeof header);
    if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) return true;
    if (header.nlmsg_len < sizeof header) return false;
    offset += NLMSG_ALIGN(header.nlmsg_len);
  }
  return false;
}

unsigned char* room_in(Answer* answer) { return answer->bytes + answer->count * kLongestDatagram; }

void add(Answer* answer, std::size_t length) {
  answer->datagrams[answer->count] = {room_in(answer), length};
  ++answer->count;
}

Exchanged lost(int error) {
  hang_up();
  errno = error;
  return Exchanged::failed;
}

Exchanged receive_list(Answer* answer) {
  const ssize_t seen = receive_on_line(answer->bytes, kLongestDatagram, MSG_PEEK | MSG_TRUNC);
  if (seen <= 0) return lost(seen == 0 ? ECONNRESET : errno);
  const auto length = static_cast<std::size_t>(seen);
  if (length > kLongestDatagram || !ends_list(answer->bytes, length)) {
    answer->connection = line.socket;
    line.socket = -1;
    return Exchanged::done;
  }
  if (receive_on_line(answer->bytes, kLongestDatagram, 0) < 0) return lost(errno);
  add(answer, length);
  return Exchanged::done;
}

// What there is, and then its acknowledgement, which is passed on if it was asked for or is a refusal.
Exchanged receive_answer(bool acknowledged, Answer* answer) {
  while (answer->count < kMostEchoes) {
    unsigned char* to = room_in(answer);
    const ssize_t received = receive_on_line(to, kLongestDatagram, MSG_TRUNC);
    if (received <= 0) return lost(received == 0 ? ECONNRESET : errno);
    const auto length = static_cast<std::size_t>(received);
    if (length < NLMSG_HDRLEN + sizeof(int) || length > kLongestDatagram) return lost(EPROTO);
    const bool last = type_of(to) == NLMSG_ERROR;
    if (!last || acknowledged || error_of(to) != 0) add(answer, length);
    if (last) return Exchanged::done;
  }
  return lost(EPROTO);
}

Exchanged ask(Cookie network, const msghdr* message, const Looked& looked, Answer* answer) {
  unsigned char question[kLongestQuestion];
  const std::size_t length = write_question(message, looked, question);
  if (length == 0) return Exchanged::by_itself;
  nlmsghdr header;
  std::memcpy(&header, looked.bytes, sizeof header);
  const bool lists = (header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  for (bool again = false;; again = true) {
    if (!is_for(network) || !is_ours()) hang_up();
    if (line.socket < 0 && !connect_line(network)) return Exchanged::absent;
    if (!send_on_line(question, length)) {
      if (errno != EPIPE && errno != ECONNRESET) return lost(errno);
      hang_up();  // limpetd has gone
      if (!connect_again([=] { return connect_line(network); })) return Exchanged::absent;
      if (!send_on_line(question, length)) return lost(errno);
    }
    const Exchanged outcome =
        lists ? receive_list(answer) : receive_answer((header.nlmsg_flags & NLM_F_ACK) != 0, answer);
    // The connection was closed with the question in its queue: nobody has read it.
    const bool unread = outcome == Exchanged::failed && errno == ECONNRESET && answer->count == 0;
    if (!unread || again) return outcome;
  }
}

Exchanged family(Cookie network, const Looked& looked, Answer* answer) {
  nlmsghdr question;
  std::memcpy(&question, looked.bytes, sizeof question);
  if ((question.nlmsg_flags & NLM_F_REQUEST) == 0 || (question.nlmsg_flags & NLM_F_DUMP) != 0) {
    return Exchanged::by_itself;
  }
  if (!is_for(network) || !is_alive()) hang_up();
  if (line.socket < 0 && !connect_line(network)) return Exchanged::absent;
  nlmsghdr header;
  std::memcpy(&header, line.family, sizeof header);
  header.nlmsg_seq = question.nlmsg_seq;
  header.nlmsg_pid = question.nlmsg_pid;
  std::memcpy(room_in(answer), line.family, line.family_length);
  std::memcpy(room_in(answer), &header, sizeof header);
  add(answer, line.family_length);
  if ((question.nlmsg_flags & NLM_F_ACK) == 0) return Exchanged::done;
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } acknowledgement{};
  acknowledgement.header = {sizeof acknowledgement, NLMSG_ERROR, 0, question.nlmsg_seq, question.nlmsg_pid};
  acknowledgement.error.msg = question;
  std::memcpy(room_in(answer), &acknowledgement, sizeof acknowledgement);
  add(answer, sizeof acknowledgement);
  return Exchanged::done;
}

}  // namespace

Exchanged ask_for_family(int fd, const Looked& looked, Answer* answer) {
  if (!take_line()) return Exchanged::by_itself;
  const Exchanged outcome = family(cookie_of(fd, SO_NETNS_COOKIE), looked, answer);
  give_back_line();
  return outcome;
}

Exchanged exchange(int fd, const msghdr* message, const Looked& looked, Answer* answer) {
  if (!take_line()) return Exchanged::by_itself;
  const Exchanged outcome = ask(cookie_of(fd, SO_NETNS_COOKIE), message, looked, answer);
  give_back_line();
  return outcome;
}

}  // namespace limpet::preload
