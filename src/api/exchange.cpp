// SPDX-License-Identifier: Apache-2.0
// One HTTP request and its response, with Beast's parser and serializer over a blocking stream.
#include "api/exchange.h"

#include <array>
#include <limits>

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "api/namespace_header.h"
#include "json/json.h"
#include "unix_socket/network_namespace.h"

namespace limpet::api {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

boost::beast::string_view beast_view(std::string_view text) { return {text.data(), text.size()}; }

Error problem_in(const std::string& body) {
  const auto document = json_codec::parse_text(body, "the problem document");
  return json_codec::error_from_problem(document ? *document : nlohmann::json());
}

}  // namespace

Result<void> Exchange::ensure_connected() {
  if (stream_ && !stream_->is_stale()) return {};
  stream_.reset();
  buffer_.clear();
  auto stream = UnixStream::connect(socket_);
  if (!stream) return stream.error();
  stream_.emplace(std::move(*stream));
  return {};
}

Result<void> Exchange::request(std::string_view method, std::string_view target, std::string_view body,
                               const Take& take) {
  if (auto connected = ensure_connected(); !connected) return connected;
  if (auto sent = send(method, target, body); !sent) return sent;
  return receive(take);
}

Result<std::string> Exchange::request(std::string_view method, std::string_view target, std::string_view body) {
  std::string whole;
  const auto outcome = request(method, target, body, [&](std::string_view piece) {
    whole += piece;
    return true;
  });
  if (!outcome) return outcome.error();
  return whole;
}

Result<void> Exchange::send(std::string_view method, std::string_view target, std::string_view body) {
  http::request<http::string_body> request;
  request.method_string(beast_view(method));
  request.target(beast_view(target));
  request.version(11);
  request.set(http::field::host, "limpet");
  if (const auto cookie = network_namespace_of(stream_->descriptor())) {
    request.set(kNamespaceHeader, std::to_string(*cookie));
  }
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  error_code error;
  http::write(*stream_, request, error);
  // A daemon that refuses a request closes before it has read it all; its answer is worth reading.
  if (error && error != boost::system::errc::broken_pipe) return broken(error);
  return {};
}

Result<void> Exchange::receive(const Take& take) {
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  error_code error;
  http::read_header(*stream_, buffer_, parser, error);
  if (error) return broken(error);
  const bool succeeded = parser.get().result_int() / 100 == 2;
  std::string problem;
  std::array<char, 65536> piece;
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    http::read(*stream_, buffer_, parser, error);
    if (error && error != http::error::need_buffer) return broken(error);
    const std::string_view text(piece.data(), piece.size() - parser.get().body().size);
    if (!succeeded) {
      problem += text;
    } else if (!text.empty() && !take(text)) {
      stream_.reset();  // the rest is on its way still
      return {};
    }
  }
  if (!parser.keep_alive()) stream_.reset();
  if (succeeded) return {};
  return problem_in(problem);
}

Error Exchange::broken(const error_code& error) {
  stream_.reset();
  if (error == boost::asio::error::timed_out) {
    return {ErrorCode::internal, "limpetd at " + socket_.native() + " does not answer; look at its log"};
  }
  return {ErrorCode::internal, "the connection to limpetd at " + socket_.native() + " broke off: " + error.message()};
}

}  // namespace limpet::api
