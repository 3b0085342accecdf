// SPDX-License-Identifier: Apache-2.0
// A real server on a real unix socket in a temporary directory, in a thread of its own as the daemon's loop would be;
// and a raw client that can say anything. What needs Boost is in the .cpp: it takes longer to compile than most tests.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/client.h"
#include "api/listener.h"
#include "unit/api/fake_director.h"
#include "unix_socket/network_namespace.h"

namespace limpet::api {

struct ServerOptions;

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
  explicit RawClient(const std::filesystem::path& run_directory);
  RawClient(RawClient&&) noexcept;
  ~RawClient();

  void set_patience(std::chrono::milliseconds patience);
  void send(std::string_view text);
  Response read();
  // Waits for one byte. False: the connection has ended, or patience has.
  bool read_byte();
  // Waits for one byte; whether it was the end of the connection that came.
  bool is_closed();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

class ApiTest : public testing::Test {
 protected:
  ApiTest();
  ~ApiTest() override;

  // Set `director_` before; the loop's thread has it from here on.
  void start();
  void start(ServerOptions options);

  // Ends the server in the loop, as the daemon does.
  void stop();

  // What the loop's thread sees.
  template <class F>
  auto in_loop(F f) {
    std::promise<decltype(f())> promise;
    post([&] { promise.set_value(f()); });
    return promise.get_future().get();
  }
  std::size_t open_connections();

  Response ask(const std::string& method, const std::string& target, const std::string& body = "",
               std::optional<std::string> cookie = std::to_string(own_network_namespace().value())) {
    RawClient client(run_directory_);
    client.send(request_text(method, target, body, cookie));
    return client.read();
  }
  static std::string request_text(const std::string& method, const std::string& target, const std::string& body = "",
                                  const std::optional<std::string>& cookie = std::nullopt);
  Client client() {
    auto connected = Client::connect(run_directory_);
    EXPECT_TRUE(connected) << connected.error().text;
    return std::move(*connected);
  }

  std::filesystem::path run_directory_;
  FakeDirector director_;

 private:
  struct Loop;
  void post(std::function<void()> work);

  std::unique_ptr<Loop> loop_;
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
