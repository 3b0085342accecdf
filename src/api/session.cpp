// SPDX-License-Identifier: Apache-2.0
// One client's connection, as a coroutine in the daemon's loop.
#include "api/session.h"

#include <exception>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>

#include "api/namespace_header.h"
#include "api/routes.h"

namespace limpet::api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::beast::error_code;

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }
boost::beast::string_view view_of(std::string_view text) { return {text.data(), text.size()}; }

// Whether a read failed because of what was sent, not because the client went or was silent.
bool is_malformed(error_code error) {
  return error.category() == http::make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream;
}

Answer answer_to_malformed(error_code error) {
  int status = 400;
  std::string text = "malformed HTTP request: " + error.message();
  if (error == http::error::header_limit) {
    status = 431;
    text = "the request's header is longer than 16 KiB";
  } else if (error == http::error::body_limit) {
    status = 413;
    text = "the request's body is longer than 1 MiB (a transaction's: 32 MiB)";
  } else if (error == http::error::bad_version) {
    status = 505;
  }
  Answer answer = problem_answer(Error{ErrorCode::bad_request, std::move(text)}, status);
  answer.close = true;
  return answer;
}

}  // namespace

Session::Session(Socket socket, Director& director, const ServerOptions& options, bool peer_is_allowed)
    : stream_(std::move(socket)), director_(&director), options_(options), peer_is_allowed_(peer_is_allowed) {}

void Session::abandon() {
  director_ = nullptr;
  source_.reset();
  stream_.close();
}

// In the coroutines below no co_await stands within &&, ?: or the like: g++ 12 miscompiles some of these.
asio::awaitable<void> Session::run() {
  bool another = true;
  while (another) another = co_await serve_one_request();
  source_.reset();
  stream_.close();
}

// True: the connection can take another.
asio::awaitable<bool> Session::serve_one_request() {
  Parser parser;
  parser.header_limit(kHeaderLimit);
  parser.body_limit(kTransactionLimit);  // until the header says whether so much is meant
  stream_.expires_after(options_.idle_timeout);
  const error_code failure = co_await read(parser);
  if (director_ == nullptr) co_return false;
  if (failure && !is_malformed(failure)) co_return false;

  const unsigned version = failure ? 11 : parser.get().version();
  const bool keep_alive = !failure && parser.get().keep_alive();
  Answer answer;
  if (failure) {
    answer = answer_to_malformed(failure);
  } else {
    answer = answer_to(parser);
  }
  const bool sent = co_await send(answer, version, keep_alive);
  co_return sent&& keep_alive;
}

asio::awaitable<error_code> Session::read(Parser& parser) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await http::async_read_header(stream_, buffer_, parser, token);
  if (error) co_return error;
  const std::uint64_t limit = body_limit(parser);
  if (parser.content_length() && *parser.content_length() > limit) co_return http::error::body_limit;
  parser.body_limit(limit);
  if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(stream_, asio::buffer(kContinue), token);
    if (error) co_return error;
  }
  co_await http::async_read(stream_, buffer_, parser, token);
  co_return error;
}

// What is over it is not even read. A route may ask for less (answer_to()), which is then said with the route's number.
std::uint64_t Session::body_limit(const Parser& parser) const {
  const auto& message = parser.get();
  const Match match = match_route(view_of(message.method_string()), view_of(message.target()));
  const bool more = peer_is_allowed_ && match.route != nullptr && match.route->body_limit > kBodyLimit;
  return more ? match.route->body_limit : kBodyLimit;
}

Answer Session::answer_to(const Parser& parser) {
  const auto& message = parser.get();
  const Match match = match_route(view_of(message.method_string()), view_of(message.target()));
  const std::string_view cookie = view_of(message[kNamespaceHeader]);
  if (auto refusal = refuse_peer(cookie, match.route != nullptr && match.route->changes)) return std::move(*refusal);
  if (match.route == nullptr) {
    Answer answer = problem_answer(Error{ErrorCode::bad_request, match.refusal_text}, match.refusal_status);
    answer.allow = match.allow;
    return answer;
  }
  if (message.body().size() > match.route->body_limit) {
    return problem_answer(Error{ErrorCode::bad_request, "the request's body is longer than 64 KiB"}, 413);
  }
  Request request = match.request;
  request.body = message.body();
  try {
    return match.route->handle(*director_, request);
  } catch (const std::exception& failure) {
    spdlog::error("{} {} failed: {}", match.route->method, match.route->path, failure.what());
    return problem_answer(Error{ErrorCode::internal, std::string("limpetd could not do it: ") + failure.what()});
  }
}

std::optional<Answer> Session::refuse_peer(std::string_view cookie, bool changes) const {
  if (!peer_is_allowed_) {
    return problem_answer(Error{ErrorCode::permission, "only root and members of the group limpet may use limpetd"});
  }
  if (cookie.empty()) {
    if (!changes) return std::nullopt;
    return problem_answer(
        Error{ErrorCode::bad_request, std::string("a change must name the caller's network namespace in the header ") +
                                          kNamespaceHeader + " (its SO_NETNS_COOKIE, in decimal)"});
  }
  if (cookie == std::to_string(options_.network_namespace.value_or(0))) return std::nullopt;
  return problem_answer(
      Error{ErrorCode::other_namespace,
            "this limpetd serves another network namespace than the one you are in: run the command there, or set "
            "LIMPET_RUN_DIR to the run directory of your namespace's limpetd"});
}

asio::awaitable<bool> Session::send(Answer& answer, unsigned version, bool keep_alive) {
  // HTTP/1.0 knows no chunks: there a streamed body ends with the connection.
  const bool streamed = answer.source != nullptr;
  const bool stays = keep_alive && !answer.close && !(streamed && version < 11);
  http::response<http::string_body> response{static_cast<http::status>(answer.status), version};
  response.keep_alive(stays);
  if (!answer.allow.empty()) response.set(http::field::allow, answer.allow);
  if (streamed || !answer.body.empty()) response.set(http::field::content_type, view_of(answer.content_type));

  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  stream_.expires_after(options_.idle_timeout);
  bool complete = true;
  if (streamed) {
    source_ = std::move(answer.source);
    response.chunked(version >= 11);
    http::response_serializer<http::string_body> serializer{response};
    co_await http::async_write_header(stream_, serializer, token);
    if (error) co_return false;
    complete = co_await send_pieces(version >= 11);
  } else {
    response.body() = std::move(answer.body);
    if (answer.status != 204) response.prepare_payload();
    co_await http::async_write(stream_, response, token);
  }
  if (answer.unloaded && options_.after_unload) options_.after_unload();
  if (error || !complete) co_return false;
  if (!stays) co_await linger();
  co_return stays;
}

// A reader that does not keep up holds one piece, here; the next is made when this one has left.
asio::awaitable<bool> Session::send_pieces(bool chunked) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  while (source_ != nullptr) {
    std::optional<std::string> piece;
    try {
      piece = source_->next();
    } catch (const std::exception& failure) {
      spdlog::error("a listing broke off: {}", failure.what());
      co_return false;
    }
    if (!piece) break;
    stream_.expires_after(options_.listing_timeout);
    if (piece->empty()) {
      co_await asio::post(stream_.get_executor(), asio::use_awaitable);
    } else if (chunked) {
      co_await asio::async_write(stream_, http::make_chunk(asio::const_buffer(piece->data(), piece->size())), token);
    } else {
      co_await asio::async_write(stream_, asio::buffer(*piece), token);
    }
    if (error) co_return false;
  }
  const bool complete = source_ != nullptr;
  source_.reset();
  if (complete && chunked) co_await asio::async_write(stream_, http::make_chunk_last(), token);
  co_return complete && !error;
}

// Closing with bytes unread would reset the connection under a client that is still sending, before it has read why it
// was refused: so say that no more comes, and read on for a moment.
asio::awaitable<void> Session::linger() {
  constexpr std::chrono::seconds kLonger{1};
  constexpr std::size_t kMost = std::size_t{4} * 1024 * 1024;
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  stream_.socket().shutdown(Socket::shutdown_send, error);
  stream_.expires_after(kLonger);
  std::array<char, 16384> rest;
  for (std::size_t read = 0; !error && read < kMost;) {
    read += co_await stream_.async_read_some(asio::buffer(rest), token);
  }
}

}  // namespace limpet::api
