// SPDX-License-Identifier: Apache-2.0
// The client's end of the daemon's unix socket: blocking, with a deadline, shaped as a Beast SyncStream. No event loop:
// a whole `limpetadm -Ln` is to take a few milliseconds.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include "model/result.h"
#include "unix_socket/descriptor.h"

namespace limpet::api {

class UnixStream {
 public:
  // Errors: not_running (nobody listens there), permission.
  static Result<UnixStream> connect(const std::filesystem::path& path);

  int descriptor() const { return socket_.get(); }
  // How long one read or write may wait for the daemon; then the error is timed_out.
  void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }
  // Whether the daemon has closed a connection on which it owes us nothing.
  bool is_stale() const;

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& error) {
    const auto first = first_of<boost::asio::mutable_buffer>(buffers);
    return first.size() == 0 ? 0 : receive(first.data(), first.size(), error);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, boost::system::error_code& error) {
    const auto first = first_of<boost::asio::const_buffer>(buffers);
    return first.size() == 0 ? 0 : send(first.data(), first.size(), error);
  }
  // The throwing forms that Beast's concept asks for.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    boost::system::error_code error;
    const std::size_t count = read_some(buffers, error);
    if (error) throw boost::system::system_error(error);
    return count;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    boost::system::error_code error;
    const std::size_t count = write_some(buffers, error);
    if (error) throw boost::system::system_error(error);
    return count;
  }

 private:
  explicit UnixStream(Descriptor socket) : socket_(std::move(socket)) {}

  template <class Buffer, class Buffers>
  static Buffer first_of(const Buffers& buffers) {
    for (auto it = boost::asio::buffer_sequence_begin(buffers); it != boost::asio::buffer_sequence_end(buffers); ++it) {
      const Buffer buffer(*it);
      if (buffer.size() > 0) return buffer;
    }
    return {};
  }
  std::size_t receive(void* data, std::size_t size, boost::system::error_code& error);
  std::size_t send(const void* data, std::size_t size, boost::system::error_code& error);
  bool wait_for(short events, boost::system::error_code& error) const;

  Descriptor socket_;
  std::chrono::milliseconds patience_{30'000};
};

}  // namespace limpet::api
