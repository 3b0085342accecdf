// SPDX-License-Identifier: Apache-2.0
// One client's connection: reads requests within their limits, hands them to the routes, writes answers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>  // Boost 1.74 asio/awaitable.hpp uses std::exchange without it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "api/answer.h"
#include "api/server.h"
#include "director/director.h"

namespace limpet::api {

class Session {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  // Precondition: `options` outlives the session; `director` does until abandon().
  Session(Socket socket, Director& director, const ServerOptions& options, bool peer_is_allowed);

  // Serves requests until the client goes, is silent too long or sends what cannot be answered.
  boost::asio::awaitable<void> run();
  // Closes the connection and lets go of everything that belongs to the director.
  void abandon();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Stream = boost::beast::basic_stream<boost::asio::local::stream_protocol>;

  boost::asio::awaitable<bool> serve_one_request();
  boost::asio::awaitable<boost::beast::error_code> read(Parser& parser);
  std::uint64_t body_limit(const Parser& parser) const;
  Answer answer_to(const Parser& parser);
  std::optional<Answer> refuse_peer(std::string_view cookie, bool changes) const;
  boost::asio::awaitable<bool> send(Answer& answer, unsigned version, bool keep_alive);
  boost::asio::awaitable<bool> send_pieces(bool chunked);
  boost::asio::awaitable<void> linger();

  Stream stream_;
  boost::beast::flat_buffer buffer_;
  Director* director_;  // null once abandoned
  const ServerOptions& options_;
  bool peer_is_allowed_;
  std::unique_ptr<BodySource> source_;  // here and not in a coroutine's frame, so that abandon() reaches it
};

}  // namespace limpet::api
