// SPDX-License-Identifier: Apache-2.0
// The route table and how a path is matched against it.
#include "api/routes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "api/handlers.h"
#include "api/server.h"

namespace limpet::api {
namespace {

constexpr std::array<Route, 25> kRoutes{{
    {"GET", "/v1/version", false, get_version},
    {"GET", "/v1/status", false, get_status},
    {"GET", "/v1/services", false, list_services},
    {"POST", "/v1/services", true, add_service},
    {"DELETE", "/v1/services", true, flush},
    {"GET", "/v1/services/{service}", false, get_service},
    {"PUT", "/v1/services/{service}", true, edit_service},
    {"DELETE", "/v1/services/{service}", true, delete_service},
    {"POST", "/v1/services/{service}/destinations", true, add_destination},
    {"PUT", "/v1/services/{service}/destinations/{destination}", true, edit_destination},
    {"DELETE", "/v1/services/{service}/destinations/{destination}", true, delete_destination},
    {"GET", "/v1/timeouts", false, get_timeouts},
    {"PUT", "/v1/timeouts", true, set_timeouts},
    {"GET", "/v1/tunables", false, get_tunables},
    {"PUT", "/v1/tunables", true, set_tunables},
    {"GET", "/v1/sync-daemons", false, list_sync_daemons},
    {"POST", "/v1/zero", true, zero},
    {"GET", "/v1/connections", false, list_connections},
    {"GET", "/v1/sessions", false, list_sessions, kDocumentLimit, {"client", "service", "server"}},
    {"GET", "/v1/remaining", false, get_remaining, kDocumentLimit, {"client", "service", "server"}},
    {"GET", "/v1/explain", false, explain, kDocumentLimit, {"protocol", "client", "virtual", "mark"}},
    {"POST", "/v1/commands", true, run_commands, kBodyLimit},
    {"POST", "/v1/transactions", true, run_transaction, kTransactionLimit},
    {"POST", "/v1/what-if", true, what_if, kTransactionLimit},
    {"POST", "/v1/unload", true, unload},
}};

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

// "/v1/services" → {"v1", "services"}.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

// The texts of the parameters of a path that has the route's shape.
struct Parameters {
  std::string service;
  std::string destination;
};

std::optional<Parameters> fit(const Route& route, const std::vector<std::string>& path) {
  Parameters parameters;
  auto segment = path.begin();
  for (const std::string_view wanted : split(route.path)) {
    if (segment == path.end()) return std::nullopt;
    if (wanted == "{service}") {
      parameters.service = *segment++;
      const bool in_two_segments = parameters.service.find('/') == std::string::npos && segment != path.end();
      if (in_two_segments) parameters.service += "/" + *segment++;
    } else if (wanted == "{destination}") {
      parameters.destination = *segment++;
    } else if (wanted != *segment++) {
      return std::nullopt;
    }
  }
  if (segment != path.end()) return std::nullopt;
  return parameters;
}

// The names in the path as keys; or a sentence that says which one is none.
std::optional<std::string> read_parameters(const Route& route, const Parameters& parameters, Request& request) {
  if (route.path.find("{service}") != std::string_view::npos) {
    const auto key = ServiceKey::parse(parameters.service);
    if (!key) return "\"" + parameters.service + "\" does not name a service (as tcp/192.0.2.1:80 does)";
    request.service = *key;
  }
  if (route.path.find("{destination}") != std::string_view::npos) {
    const auto endpoint = endpoint_from_string(parameters.destination);
    if (!endpoint) return "\"" + parameters.destination + "\" does not name a real server (as 10.0.0.1:80 does)";
    request.destination = {endpoint->address, endpoint->port};
  }
  return std::nullopt;
}

Match refuse(int status, std::string text, std::string allow = {}) {
  Match match;
  match.refusal_status = status;
  match.refusal_text = std::move(text);
  match.allow = std::move(allow);
  return match;
}

// None: a percent sign without two digits.
std::optional<std::vector<std::string>> decoded_segments(std::string_view target) {
  std::vector<std::string> path;
  for (const std::string_view segment : split(target)) {
    auto decoded = percent_decode(segment);
    if (!decoded) return std::nullopt;
    path.push_back(std::move(*decoded));
  }
  return path;
}

// The query's names and values into the request; or a sentence that says what is wrong with it.
std::optional<std::string> read_query(const Route& route, std::string_view query, Request& request) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::string_view name = pair.substr(0, pair.find('='));
    const bool known = !name.empty() && std::find(route.query.begin(), route.query.end(), name) != route.query.end();
    if (!known) {
      return "the query's \"" + std::string(name.substr(0, 200)) + "\" is not known to " + std::string(route.path);
    }
    auto value = percent_decode(name.size() == pair.size() ? "" : pair.substr(name.size() + 1));
    if (!value) return "the query's \"" + std::string(name) + "\" has a percent sign without two hexadecimal digits";
    if (!request.query.emplace(name, std::move(*value)).second) {
      return "the query has \"" + std::string(name) + "\" twice";
    }
  }
  return std::nullopt;
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

Match match_route(std::string_view method, std::string_view target) {
  if (target.empty() || target.front() != '/') {
    return refuse(400, "the request target must be a path, such as /v1/services");
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view query = target.substr(std::min(mark + 1, target.size()));
  const auto path = decoded_segments(target.substr(0, mark));
  if (!path) return refuse(400, "the request target has a percent sign without two hexadecimal digits behind it");

  std::string allowed;
  for (const Route& route : kRoutes) {
    const auto parameters = fit(route, *path);
    if (!parameters) continue;
    if (route.method != method) {
      allowed.append(allowed.empty() ? "" : ", ").append(route.method);
      continue;
    }
    Match match;
    if (auto wrong = read_parameters(route, *parameters, match.request)) return refuse(400, std::move(*wrong));
    if (route.query.front().empty() && mark < target.size()) {
      return refuse(400, std::string(route.path) + " takes no query");
    }
    if (auto wrong = read_query(route, query, match.request)) return refuse(400, std::move(*wrong));
    match.route = &route;
    return match;
  }
  if (allowed.empty()) return refuse(404, "there is nothing at " + std::string(target.substr(0, 200)));
  return refuse(405, "this path takes " + allowed + ", not " + std::string(method.substr(0, 20)), allowed);
}

}  // namespace limpet::api
