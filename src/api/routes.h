// SPDX-License-Identifier: Apache-2.0
// The route table: which method and path reach which handler. docs/openapi.yaml describes exactly these.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "api/answer.h"
#include "director/director.h"
#include "model/service.h"

namespace limpet::api {

// What a handler gets: the names in the path, read; the query's values, decoded; and the body as it came.
struct Request {
  ServiceKey service;          // of {service}
  DestinationKey destination;  // of {destination}
  std::map<std::string, std::string, std::less<>> query;
  std::string_view body;
};

using Handler = Answer (*)(Director& director, const Request& request);

// 64 KiB of the most expensive JSON take about 5 ms to read; a body of commands, which may be longer, is read piece by
// piece.
inline constexpr std::size_t kDocumentLimit = std::size_t{64} * 1024;
// A transaction is whole before any of it is carried out: 10,000 services with ten servers each are about 16 MiB.
inline constexpr std::size_t kTransactionLimit = std::size_t{32} * 1024 * 1024;

struct Route {
  std::string_view method;
  // Segments in braces are parameters. {service} takes one segment, percent-encoded ("tcp%2F192.0.2.1:80"), or two
  // ("tcp/192.0.2.1:80").
  std::string_view path;
  bool changes;  // asks for the caller's network namespace
  Handler handle;
  std::size_t body_limit = kDocumentLimit;
  // Names that its query may have, each once. Others are refused, and so is a query where there is no name.
  std::array<std::string_view, 4> query{};
};

std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;  // null: none fits, for the reason below
  Request request;
  int refusal_status = 400;  // 400, 404 or 405
  std::string refusal_text;
  std::string allow;  // with 405: the methods there are
};

// `target` as in the request line.
Match match_route(std::string_view method, std::string_view target);

}  // namespace limpet::api
