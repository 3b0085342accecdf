// SPDX-License-Identifier: Apache-2.0
// One HTTP request and its response over the daemon's socket, kept open from one request to the next.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/core/flat_buffer.hpp>

#include "api/unix_stream.h"
#include "model/result.h"

namespace limpet::api {

class Exchange {
 public:
  explicit Exchange(std::filesystem::path socket) : socket_(std::move(socket)) {}

  // Connects if there is no connection, or none that still stands.
  Result<void> ensure_connected();

  // Gives the body of a 2xx response to `take` piece by piece; `take` answers false to hear no more. Any other status
  // becomes the error that the problem document tells of.
  using Take = std::function<bool(std::string_view piece)>;
  Result<void> request(std::string_view method, std::string_view target, std::string_view body, const Take& take);
  // The whole body.
  Result<std::string> request(std::string_view method, std::string_view target, std::string_view body = {});

 private:
  Result<void> send(std::string_view method, std::string_view target, std::string_view body);
  Result<void> receive(const Take& take);
  Error broken(const boost::system::error_code& error);

  std::filesystem::path socket_;
  std::optional<UnixStream> stream_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace limpet::api
