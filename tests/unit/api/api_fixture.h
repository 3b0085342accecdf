// SPDX-License-Identifier: Apache-2.0
// A real server on a real unix socket in a temporary directory, in a thread of its own as the daemon's loop would be;
// and a raw client that can say anything.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include "api/client.h"
#include "api/listener.h"
#include "api/network_namespace.h"
#include "api/server.h"
#include "api/unix_stream.h"
#include "unit/api/fake_director.h"

namespace limpet::api {

struct Response {
  int status = 0;  // 0: the connection ended without one
  std::string content_type;
  std::string allow;
  std::string body;
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
  std::string code() const { return json().value("code", ""); }
  std::string detail() const { return json().value("detail", ""); }
};

class RawClient {
 public:
  explicit RawClient(const std::filesystem::path& run_directory)
      : stream_(std::move(*UnixStream::connect(socket_path(run_directory)))) {}

  UnixStream& stream() { return stream_; }
  void send(std::string_view text) {
    boost::system::error_code error;
    for (std::size_t sent = 0; sent < text.size() && !error;) {
      sent += stream_.write_some(boost::asio::const_buffer(text.data() + sent, text.size() - sent), error);
    }
  }
  Response read() {
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    parser.body_limit(UINT64_MAX);
    boost::system::error_code error;
    boost::beast::http::read(stream_, buffer_, parser, error);
    if (error) return {};
    const auto& message = parser.get();
    return {static_cast<int>(message.result_int()), std::string(message["Content-Type"]), std::string(message["Allow"]),
            message.body()};
  }
  bool is_closed() {
    char byte;
    boost::system::error_code error;
    stream_.read_some(boost::asio::mutable_buffer(&byte, 1), error);
    return error == boost::asio::error::eof || error == boost::asio::error::connection_reset;
  }

 private:
  UnixStream stream_;
  boost::beast::flat_buffer buffer_;
};

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "limpet-api-XXXXXX").string();
    run_directory_ = ::mkdtemp(pattern.data());
  }
  ~ApiTest() override {
    stop();
    std::filesystem::remove_all(run_directory_);
  }

  // Set `director_` before; the loop's thread has it from here on.
  void start(ServerOptions options = {}) {
    auto listener = Listener::open(run_directory_, std::nullopt);
    ASSERT_TRUE(listener) << listener.error().text;
    server_ = std::make_unique<Server>(loop_, director_, std::move(*listener), std::move(options));
    work_.emplace(loop_.get_executor());
    thread_ = std::thread([this] { loop_.run(); });
  }

  // Ends the server in the loop, as the daemon does.
  void stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(loop_, [this] { server_.reset(); });
    work_.reset();
    thread_.join();
  }

  // What the loop's thread sees.
  template <class F>
  auto in_loop(F f) {
    std::promise<decltype(f())> promise;
    boost::asio::post(loop_, [&] { promise.set_value(f()); });
    return promise.get_future().get();
  }

  Response ask(const std::string& method, const std::string& target, const std::string& body = "",
               std::optional<std::string> cookie = std::to_string(own_network_namespace().value())) {
    RawClient client(run_directory_);
    client.send(request_text(method, target, body, cookie));
    return client.read();
  }
  static std::string request_text(const std::string& method, const std::string& target, const std::string& body = "",
                                  const std::optional<std::string>& cookie = std::nullopt) {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: limpet\r\n";
    if (cookie) text += std::string(kNamespaceHeader) + ": " + *cookie + "\r\n";
    return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  Client client() {
    auto connected = Client::connect(run_directory_);
    EXPECT_TRUE(connected) << connected.error().text;
    return std::move(*connected);
  }

  std::filesystem::path run_directory_;
  FakeDirector director_;
  boost::asio::io_context loop_;
  std::unique_ptr<Server> server_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  std::thread thread_;
};

inline Service http_service(const char* address = "192.0.2.1") {
  Service service;
  service.key = ServiceKey::of_address(Protocol::tcp, *Address::parse(address), Port{80});
  return service;
}

inline Destination server_behind(const char* address = "198.51.100.7") {
  Destination destination;
  destination.key = {*Address::parse(address), Port{80}};
  return destination;
}

}  // namespace limpet::api
