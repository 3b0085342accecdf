// SPDX-License-Identifier: Apache-2.0
// A descriptor whose other end may be slow: waiting for it holds nobody else up, and not for ever.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>  // Boost 1.74 asio/awaitable.hpp uses std::exchange without it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "ipvs_netlink/wire.h"
#include "unix_socket/descriptor.h"

namespace limpet::ipvs_netlink {

class Channel {
 public:
  Channel(boost::asio::io_context& loop, Descriptor descriptor);

  // The next datagram into `buffer`: its length, 0 when the other end has gone or sent one that is too long.
  boost::asio::awaitable<std::size_t> receive(Bytes& buffer);
  // False: nobody takes them, or not within `patience`. `pass`: a descriptor to go with the first; -1: none.
  boost::asio::awaitable<bool> send(std::span<const Bytes> datagrams, std::chrono::milliseconds patience,
                                    int pass = -1);
  // The same for a pipe.
  boost::asio::awaitable<bool> write(std::string_view text, std::chrono::milliseconds patience);
  // To let others have their turn.
  boost::asio::awaitable<void> yield();
  // Whether something is there to be received, if it is only the end.
  bool has_more() const;
  void close();

 private:
  boost::asio::awaitable<bool> wait_until_writable(std::chrono::milliseconds patience);

  std::shared_ptr<boost::asio::posix::stream_descriptor> descriptor_;
  bool fresh_ = true;  // nothing has been received yet
  boost::asio::steady_timer timer_;
};

}  // namespace limpet::ipvs_netlink
