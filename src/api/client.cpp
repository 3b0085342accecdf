// SPDX-License-Identifier: Apache-2.0
// The typed calls of the HTTP API.
#include "api/client.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "api/exchange.h"
#include "api/listener.h"
#include "api/status_json.h"
#include "json/json.h"

namespace limpet::api {
namespace {

using json_codec::Json;

// Well below the daemon's limits of 1 MiB and 10,000 commands a request.
constexpr std::size_t kBatchBytes = std::size_t{256} * 1024;
constexpr std::size_t kBatchCommands = 2000;

// What the daemon answers is read as strictly as what it is asked; but that it cannot be read is not the user's fault.
Error not_understood(const Error& error) {
  return {ErrorCode::internal,
          "limpetd's answer is not understood (" + error.text + "): are limpetd and this program of one version?"};
}

template <class T, class Decode>
Result<T> decode(const Result<std::string>& body, Decode from_json) {
  if (!body) return body.error();
  const auto document = json_codec::parse_text(*body, "it");
  if (!document) return not_understood(document.error());
  auto value = from_json(*document);
  if (!value) return not_understood(value.error());
  return value;
}

Result<std::vector<ServiceView>> services_from_json(const Json& json) {
  if (!json.is_array()) return Error{ErrorCode::bad_request, "not a list of services"};
  std::vector<ServiceView> services;
  services.reserve(json.size());
  for (const Json& element : json) {
    auto service = json_codec::service_view_from_json(element);
    if (!service) return service.error();
    services.push_back(std::move(*service));
  }
  return services;
}

Result<std::vector<SyncDaemon>> sync_daemons_from_json(const Json& json) {
  if (!json.is_array()) return Error{ErrorCode::bad_request, "not a list of synchronisation daemons"};
  std::vector<SyncDaemon> daemons;
  for (const Json& element : json) {
    auto daemon = json_codec::sync_daemon_from_json(element);
    if (!daemon) return daemon.error();
    daemons.push_back(std::move(*daemon));
  }
  return daemons;
}

Result<std::vector<Result<void>>> outcomes_from_json(const Json& json) {
  if (!json.is_array()) return Error{ErrorCode::bad_request, "not a list of outcomes"};
  std::vector<Result<void>> outcomes;
  for (const Json& element : json) {
    outcomes.push_back(element.is_null() ? Result<void>() : Result<void>(json_codec::error_from_problem(element)));
  }
  return outcomes;
}

// Cuts the pieces of a body into lines.
class LineCutter {
 public:
  // False as soon as `visit` says so.
  template <class Visit>
  bool add(std::string_view piece, Visit visit) {
    rest_ += piece;
    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      if (!visit(std::string_view(rest_).substr(begin, end - begin))) return false;
      begin = end + 1;
    }
    rest_.erase(0, begin);
    return true;
  }

 private:
  std::string rest_;
};

template <class View>
using FromJson = Result<View> (*)(const Json& json, const std::string& path);

template <class View>
Result<View> view_of_line(std::string_view line, FromJson<View> from_json) {
  const auto document = json_codec::parse_text(line, "a line");
  if (!document) return not_understood(document.error());
  if (document->is_object() && document->contains("problem")) {
    return json_codec::error_from_problem((*document)["problem"]);
  }
  auto view = from_json(*document, "");
  if (!view) return not_understood(view.error());
  return view;
}

// A GET whose answer has a view a line.
template <class View>
Result<void> visit_lines(Exchange& session, const std::string& target, FromJson<View> from_json,
                         const std::function<bool(const View&)>& visit) {
  LineCutter lines;
  Result<void> outcome;
  const auto take_line = [&](std::string_view line) {
    const auto view = view_of_line(line, from_json);
    if (!view) outcome = view.error();
    return view && visit(*view);
  };
  const auto answered =
      session.request("GET", target, {}, [&](std::string_view piece) { return lines.add(piece, take_line); });
  return answered ? outcome : answered;
}

// The longest run of commands from `begin` that fits a batch, as a JSON array; moves `begin` behind it.
std::string batch_from(const std::vector<Command>& commands, std::size_t& begin) {
  std::string batch = "[";
  const std::size_t end = std::min(commands.size(), begin + kBatchCommands);
  for (; begin < end && batch.size() < kBatchBytes; ++begin) {
    if (batch.size() > 1) batch += ',';
    batch += json_codec::command_to_text(commands[begin]);
  }
  return batch + "]";
}

std::string whole_list(const std::vector<Command>& commands) {
  std::string list = "[";
  for (const auto& command : commands) {
    if (list.size() > 1) list += ',';
    list += json_codec::command_to_text(command);
  }
  return list + "]";
}

// Which command a problem is about.
std::optional<std::size_t> index_in(const Json& problem) {
  const bool is_there = problem.is_object() && problem.contains("command") && problem["command"].is_number_unsigned();
  return is_there ? std::optional(problem["command"].get<std::size_t>()) : std::nullopt;
}

Result<std::optional<Refusal>> refusal_from_json(const Json& json) {
  if (json.is_null()) return std::optional<Refusal>();
  return std::optional(Refusal{json_codec::error_from_problem(json), index_in(json)});
}

// "tcp/[2001:db8::1]:80" as one path segment.
std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = ".-_~:";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || kPlain.find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return encoded;
}

class Query {
 public:
  explicit Query(std::string path) : target_(std::move(path)) {}
  Query(std::string path, const SessionFilter& filter) : Query(std::move(path)) {
    if (filter.client) add("client", filter.client->to_string());
    if (filter.service) add("service", filter.service->to_string());
    if (filter.server) add("server", filter.server->to_string());
  }
  void add(std::string_view name, std::string_view value) {
    target_ += std::exchange(separator_, '&');
    target_.append(name).append("=").append(percent_encode(value));
  }
  const std::string& target() const { return target_; }

 private:
  std::string target_;
  char separator_ = '?';
};

}  // namespace

std::filesystem::path default_run_directory() {
  const char* directory = std::getenv("LIMPET_RUN_DIR");
  return directory != nullptr && *directory != '\0' ? directory : "/run/limpet";
}

class Client::Session : public Exchange {
 public:
  using Exchange::Exchange;
};

// A first small request finds out what a bare connect does not: another namespace's daemon.
Result<Client> Client::connect(const std::filesystem::path& run_directory) {
  auto session = std::make_unique<Session>(socket_path(run_directory));
  const auto version = session->request("GET", "/v1/version");
  if (!version) return version.error();
  return Client(std::move(session));
}

Client::Client(std::unique_ptr<Session> session) : session_(std::move(session)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<void> Client::execute(const Command& command) {
  const auto outcomes = execute_all({command});
  if (!outcomes) return outcomes.error();
  return outcomes->front();
}

Result<std::vector<Result<void>>> Client::execute_all(const std::vector<Command>& commands) {
  std::vector<Result<void>> outcomes;
  for (std::size_t next = 0; next < commands.size();) {
    const std::string batch = batch_from(commands, next);
    const auto answer = session_->request("POST", "/v1/commands", batch);
    auto decoded = decode<std::vector<Result<void>>>(answer, outcomes_from_json);
    if (!decoded) return decoded.error();
    outcomes.insert(outcomes.end(), decoded->begin(), decoded->end());
    if (outcomes.size() != next) return not_understood({ErrorCode::internal, "outcomes are missing"});
  }
  return outcomes;
}

std::optional<Refusal> Client::transact(const std::vector<Command>& commands) {
  const auto answer = session_->request("POST", "/v1/transactions", whole_list(commands));
  auto refusal = decode<std::optional<Refusal>>(answer, refusal_from_json);
  if (!refusal) return Refusal{refusal.error(), std::nullopt};
  if (*refusal && (*refusal)->command && *(*refusal)->command >= commands.size()) (*refusal)->command.reset();
  return *refusal;
}

std::optional<Refusal> Client::what_if(const std::vector<Command>& commands,
                                       const std::function<bool(const ForesightLine&)>& visit) {
  LineCutter lines;
  std::optional<Refusal> refusal;
  const auto refuse = [&](Refusal why) {
    refusal = std::move(why);
    return false;
  };
  const auto take_line = [&](std::string_view text) {
    const auto document = json_codec::parse_text(text, "a line");
    if (!document) return refuse({not_understood(document.error()), std::nullopt});
    if (document->is_object() && document->contains("problem")) {
      Refusal told{json_codec::error_from_problem((*document)["problem"]), index_in((*document)["problem"])};
      if (told.command && *told.command >= commands.size()) told.command.reset();
      return refuse(std::move(told));
    }
    const auto line = json_codec::foresight_line_from_json(*document, "");
    if (!line) return refuse({not_understood(line.error()), std::nullopt});
    return visit(*line);
  };
  const auto answered = session_->request("POST", "/v1/what-if", whole_list(commands),
                                          [&](std::string_view piece) { return lines.add(piece, take_line); });
  if (!answered && !refusal) return Refusal{answered.error(), std::nullopt};
  return refusal;
}

Result<std::vector<ServiceView>> Client::services() {
  return decode<std::vector<ServiceView>>(session_->request("GET", "/v1/services"), services_from_json);
}

Result<ServiceView> Client::service(const ServiceKey& key) {
  const auto body = session_->request("GET", "/v1/services/" + percent_encode(key.to_string()));
  return decode<ServiceView>(body, [](const Json& json) { return json_codec::service_view_from_json(json); });
}

Result<Timeouts> Client::timeouts() {
  return decode<Timeouts>(session_->request("GET", "/v1/timeouts"),
                          [](const Json& json) { return json_codec::timeouts_from_json(json); });
}

Result<std::vector<Setting>> Client::tunables() {
  return decode<std::vector<Setting>>(session_->request("GET", "/v1/tunables"),
                                      [](const Json& json) { return json_codec::settings_from_json(json, ""); });
}

Result<std::vector<SyncDaemon>> Client::sync_daemons() {
  return decode<std::vector<SyncDaemon>>(session_->request("GET", "/v1/sync-daemons"), sync_daemons_from_json);
}

Result<void> Client::connections(const std::function<bool(const ConnectionView&)>& visit) {
  return visit_lines<ConnectionView>(*session_, "/v1/connections", json_codec::connection_from_json, visit);
}

Result<void> Client::sessions(const SessionFilter& filter, const std::function<bool(const SessionView&)>& visit) {
  const Query query("/v1/sessions", filter);
  return visit_lines<SessionView>(*session_, query.target(), json_codec::session_from_json, visit);
}

Result<Remaining> Client::remaining(const SessionFilter& filter) {
  return decode<Remaining>(session_->request("GET", Query("/v1/remaining", filter).target()),
                           [](const Json& json) { return json_codec::remaining_from_json(json, ""); });
}

Result<Explanation> Client::explain(const ExplainQuestion& question) {
  Query query("/v1/explain");
  query.add("protocol", question.protocol == Protocol::udp ? "udp" : "tcp");
  query.add("client",
            ServerName{question.client,
                       question.client_port.value == 0 ? std::nullopt : std::optional<Port>(question.client_port)}
                .to_string());
  query.add("virtual", endpoint_to_string(question.virtual_address, question.virtual_port));
  if (question.mark.value != 0) query.add("mark", std::to_string(question.mark.value));
  return decode<Explanation>(session_->request("GET", query.target()),
                             [](const Json& json) { return json_codec::explanation_from_json(json, ""); });
}

Result<Status> Client::status() { return decode<Status>(session_->request("GET", "/v1/status"), status_from_json); }

Result<void> Client::unload() {
  const auto answer = session_->request("POST", "/v1/unload");
  if (!answer) return answer.error();
  return {};
}

}  // namespace limpet::api
