// SPDX-License-Identifier: Apache-2.0
// One client's connection, and one file of /proc that is being read: coroutines in the daemon's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "ipvs_netlink/channel.h"
#include "ipvs_netlink/conversation.h"
#include "ipvs_netlink/proc_text.h"
#include "ipvs_netlink/server.h"

namespace limpet::ipvs_netlink {

// What the server may have to end.
class Abandonable {
 public:
  virtual ~Abandonable() = default;
  // Closes the connection and lets go of everything that belongs to the director.
  virtual void abandon() = 0;
};

class Session : public Abandonable {
 public:
  // Takes the end of a pipe and fills it with the text.
  using Fill = std::function<void(Descriptor, std::unique_ptr<ProcText>)>;

  // Called when it begins to wait for the client's next question; returns a number that grows.
  using Idle = std::function<std::uint64_t()>;

  // Precondition: `options` outlives the session; `director` does until abandon().
  Session(boost::asio::io_context& loop, Descriptor socket, Director& director, Rights rights,
          const ServerOptions& options, Fill fill, Idle idle);

  // Answers until the client goes or does not take its answers.
  boost::asio::awaitable<void> run();
  void abandon() override;
  // Since when it has been waiting for a question: a number of `idle`. 0: it is not.
  std::uint64_t idle_since() const { return idle_since_; }
  // One may be there that has not been read yet.
  bool has_question() const { return channel_.has_more(); }
  // To be called while it is idle: for the client the connection ends.
  void dismiss() { channel_.close(); }

 private:
  boost::asio::awaitable<bool> serve(ByteView datagram);
  boost::asio::awaitable<bool> settle();
  boost::asio::awaitable<bool> send_dump();
  boost::asio::awaitable<bool> send_file(const Answer& answer);

  Channel channel_;
  Director* director_;  // null once abandoned
  Rights rights_;
  const ServerOptions& options_;
  Fill fill_;
  Idle idle_;
  std::uint64_t idle_since_ = 0;
  std::unique_ptr<Dump> dump_;  // here and not in a coroutine's frame, so that abandon() reaches it
};

class FileSession : public Abandonable {
 public:
  FileSession(boost::asio::io_context& loop, Descriptor pipe, std::unique_ptr<ProcText> text,
              const ServerOptions& options);

  boost::asio::awaitable<void> run();
  void abandon() override;

 private:
  Channel channel_;
  std::unique_ptr<ProcText> text_;  // null once abandoned
  const ServerOptions& options_;
};

}  // namespace limpet::ipvs_netlink
