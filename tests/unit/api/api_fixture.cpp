// SPDX-License-Identifier: Apache-2.0
// The server's loop, and the raw client.
#include "unit/api/api_fixture.h"

#include <stdlib.h>

#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "api/namespace_header.h"
#include "api/server.h"
#include "api/unix_stream.h"

namespace limpet::api {

struct RawClient::Parts {
  UnixStream stream;
  boost::beast::flat_buffer buffer;
};

RawClient::RawClient(const std::filesystem::path& run_directory)
    : parts_(std::make_unique<Parts>(Parts{std::move(*UnixStream::connect(socket_path(run_directory))), {}})) {}
RawClient::RawClient(RawClient&&) noexcept = default;
RawClient::~RawClient() = default;

void RawClient::set_patience(std::chrono::milliseconds patience) { parts_->stream.set_patience(patience); }

void RawClient::send(std::string_view text) {
  boost::system::error_code error;
  for (std::size_t sent = 0; sent < text.size() && !error;)
    sent += parts_->stream.write_some(boost::asio::const_buffer(text.data() + sent, text.size() - sent), error);
}

Response RawClient::read() {
  boost::beast::http::response_parser<boost::beast::http::string_body> parser;
  parser.body_limit(UINT64_MAX);
  boost::system::error_code error;
  boost::beast::http::read(parts_->stream, parts_->buffer, parser, error);
  if (error) return {};
  const auto& message = parser.get();
  return {static_cast<int>(message.result_int()), std::string(message["Content-Type"]), std::string(message["Allow"]),
          message.body()};
}

bool RawClient::read_byte() {
  char byte;
  boost::system::error_code error;
  parts_->stream.read_some(boost::asio::mutable_buffer(&byte, 1), error);
  return !error;
}

bool RawClient::is_closed() {
  char byte;
  boost::system::error_code error;
  parts_->stream.read_some(boost::asio::mutable_buffer(&byte, 1), error);
  return error == boost::asio::error::eof || error == boost::asio::error::connection_reset;
}

struct ApiTest::Loop {
  boost::asio::io_context context;
  std::unique_ptr<Server> server;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work;
  std::thread thread;
};

ApiTest::ApiTest() : loop_(std::make_unique<Loop>()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "limpet-api-XXXXXX").string();
  run_directory_ = ::mkdtemp(pattern.data());
}

ApiTest::~ApiTest() {
  stop();
  std::filesystem::remove_all(run_directory_);
}

void ApiTest::start() { start({}); }

void ApiTest::start(ServerOptions options) {
  auto listener = Listener::open(run_directory_, std::nullopt);
  ASSERT_TRUE(listener) << listener.error().text;
  loop_->server = std::make_unique<Server>(loop_->context, director_, std::move(*listener), std::move(options));
  loop_->work.emplace(loop_->context.get_executor());
  loop_->thread = std::thread([this] { loop_->context.run(); });
}

void ApiTest::stop() {
  if (!loop_->thread.joinable()) return;
  boost::asio::post(loop_->context, [this] { loop_->server.reset(); });
  loop_->work.reset();
  loop_->thread.join();
}

void ApiTest::post(std::function<void()> work) { boost::asio::post(loop_->context, std::move(work)); }

std::size_t ApiTest::open_connections() {
  return in_loop([this] { return loop_->server->connections(); });
}

std::string ApiTest::request_text(const std::string& method, const std::string& target, const std::string& body,
                                  const std::optional<std::string>& cookie) {
  std::string text = method + " " + target + " HTTP/1.1\r\nHost: limpet\r\n";
  if (cookie) text += std::string(kNamespaceHeader) + ": " + *cookie + "\r\n";
  return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace limpet::api
