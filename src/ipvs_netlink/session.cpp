// SPDX-License-Identifier: Apache-2.0
// Reads, answers, and waits for the answer to be taken before it reads on: what a client has not taken is one datagram.
#include "ipvs_netlink/session.h"

#include <fcntl.h>

#include <utility>

#include "director/turn.h"

namespace limpet::ipvs_netlink {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kLongestRequest = std::size_t{16} * 1024;

}  // namespace

Session::Session(asio::io_context& loop, Descriptor socket, Director& director, Rights rights,
                 const ServerOptions& options, Fill fill, Idle idle)
    : channel_(loop, std::move(socket)),
      director_(&director),
      rights_(rights),
      options_(options),
      fill_(std::move(fill)),
      idle_(std::move(idle)) {}

void Session::abandon() {
  director_ = nullptr;
  dump_.reset();
  channel_.close();
}

// In the coroutines below no co_await stands within &&, ?: or the like: g++ 12 miscompiles some of these.
asio::awaitable<void> Session::run() {
  Bytes buffer(kLongestRequest);
  for (bool another = true; another;) {
    idle_since_ = idle_();
    const std::size_t length = co_await channel_.receive(buffer);
    idle_since_ = 0;
    if (length == 0) break;
    another = co_await serve(ByteView(buffer).first(length));
  }
  dump_.reset();
  channel_.close();
}

asio::awaitable<bool> Session::serve(ByteView datagram) {
  Turn turn;
  while (const auto message = next_message(datagram)) {
    if (turn.over()) {
      co_await channel_.yield();
      turn = {};
    }
    if (director_ == nullptr) co_return false;
    Answer answer = ipvs_netlink::answer(*director_, rights_, *message);
    if (answer.changed) {
      const bool settled = co_await settle();
      if (!settled) co_return false;
    }
    if (!answer.file.empty()) {
      const bool sent = co_await send_file(answer);
      if (!sent) co_return false;
      continue;
    }
    dump_ = std::move(answer.dump);
    const bool sent = co_await channel_.send(answer.datagrams, options_.answer_timeout);
    if (!sent) co_return false;
    const bool listed = co_await send_dump();
    if (!listed) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Session::settle() {
  while (director_ != nullptr && !director_->settle()) co_await channel_.yield();
  co_return director_ != nullptr;
}

asio::awaitable<bool> Session::send_dump() {
  Turn turn;
  while (dump_ != nullptr) {
    const auto datagram = dump_->next();
    if (!datagram) break;
    const bool sent = co_await channel_.send({&*datagram, 1}, options_.answer_timeout);
    if (!sent) co_return false;
    if (turn.over()) {
      co_await channel_.yield();
      turn = {};
    }
  }
  dump_.reset();
  co_return director_ != nullptr;
}

asio::awaitable<bool> Session::send_file(const Answer& answer) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) co_return false;
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  ::fcntl(writing.get(), F_SETFL, O_NONBLOCK);
  const bool sent = co_await channel_.send(answer.datagrams, options_.answer_timeout, reading.get());
  if (!sent || director_ == nullptr) co_return false;
  fill_(std::move(writing), proc_text(*director_, answer.file));
  co_return true;
}

FileSession::FileSession(asio::io_context& loop, Descriptor pipe, std::unique_ptr<ProcText> text,
                         const ServerOptions& options)
    : channel_(loop, std::move(pipe)), text_(std::move(text)), options_(options) {}

void FileSession::abandon() {
  text_.reset();
  channel_.close();
}

asio::awaitable<void> FileSession::run() {
  while (text_ != nullptr) {
    const auto piece = text_->next();
    if (!piece) break;
    const bool written = co_await channel_.write(*piece, options_.file_timeout);
    if (!written) break;
    co_await channel_.yield();
  }
  text_.reset();
  channel_.close();
}

}  // namespace limpet::ipvs_netlink
