// SPDX-License-Identifier: Apache-2.0
// What a request's query asks for.
#include "api/queries.h"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace limpet::api {
namespace {

// The values of a query one by one; remembers the first that is wrong.
class QueryReader {
 public:
  explicit QueryReader(const Request& request) : request_(request) {}

  template <class T, class Parse>
  void read(std::string_view name, std::string_view expected, Parse parse, std::optional<T>& value) {
    const auto found = request_.query.find(name);
    if (found == request_.query.end()) return;
    value = parse(found->second);
    if (!value && !error_) {
      error_ = Error{ErrorCode::bad_request,
                     std::string(name) + "=" + found->second.substr(0, 200) + " is not " + std::string(expected)};
    }
  }
  void require(std::string_view name) {
    if (!request_.query.contains(name) && !error_) {
      error_ = Error{ErrorCode::bad_request, "the query lacks \"" + std::string(name) + "\""};
    }
  }

  template <class T>
  Result<T> finish(T value) const {
    if (error_) return *error_;
    return value;
  }

 private:
  const Request& request_;
  std::optional<Error> error_;
};

std::optional<Protocol> protocol_of(std::string_view text) {
  if (text == "tcp") return Protocol::tcp;
  if (text == "udp") return Protocol::udp;
  return std::nullopt;
}

std::optional<Mark> mark_of(std::string_view text) {
  Mark mark;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mark.value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return mark;
}

}  // namespace

Result<SessionFilter> session_filter_of(const Request& request) {
  QueryReader reader(request);
  SessionFilter filter;
  reader.read("client", "an address or a network such as 10.1.0.0/24", Network::parse, filter.client);
  reader.read("service", "a service such as tcp/192.0.2.1:80 or fwm/10", ServiceKey::parse, filter.service);
  reader.read("server", "a real server such as 10.0.0.1 or 10.0.0.1:80", ServerName::parse, filter.server);
  return reader.finish(filter);
}

Result<ExplainQuestion> explain_question_of(const Request& request) {
  QueryReader reader(request);
  std::optional<Protocol> protocol;
  std::optional<ServerName> client;
  std::optional<Endpoint> virtual_endpoint;
  std::optional<Mark> mark;
  reader.require("client");
  reader.require("virtual");
  reader.read("protocol", "tcp or udp", protocol_of, protocol);
  reader.read("client", "an address, with or without a port", ServerName::parse, client);
  reader.read("virtual", "an address and a port such as 192.0.2.1:80", endpoint_from_string, virtual_endpoint);
  reader.read("mark", "a mark from 0 to 4294967295", mark_of, mark);
  ExplainQuestion question;
  question.protocol = protocol.value_or(Protocol::tcp);
  if (client) question.client = client->address;
  if (client && client->port) question.client_port = *client->port;
  if (virtual_endpoint) question.virtual_address = virtual_endpoint->address;
  if (virtual_endpoint) question.virtual_port = virtual_endpoint->port;
  question.mark = mark.value_or(Mark{});
  return reader.finish(question);
}

}  // namespace limpet::api
