// SPDX-License-Identifier: Apache-2.0
// One function for each route.
#include "api/handlers.h"

#include <utility>

#include "api/body_sources.h"
#include "api/queries.h"
#include "api/status_json.h"
#include "api/transaction_run.h"
#include "api/what_if_run.h"
#include "json/json.h"
#include "json/object_reader.h"

namespace limpet::api {
namespace {

using json_codec::Json;

Answer streamed(std::unique_ptr<BodySource> source, std::string_view content_type = kJson) {
  Answer answer;
  answer.status = 200;
  answer.content_type = content_type;
  answer.source = std::move(source);
  return answer;
}

Answer execute(Director& director, const Command& command, int status_if_done) {
  const auto outcome = director.execute(command);
  if (!outcome) return problem_answer(outcome.error());
  Answer answer;
  answer.status = status_if_done;
  return answer;
}

Result<Json> parse_body(const Request& request) { return json_codec::parse_text(request.body, "the body"); }

// The body of a PUT may repeat the key of the path, but not contradict it, and may leave it out.
Error key_differs(const std::string& in_path) {
  return Error{ErrorCode::bad_request, "the field \"key\" must be \"" + in_path + "\" as in the path, or left out"};
}

Result<Service> service_of(const Request& request, bool key_is_in_path) {
  auto body = parse_body(request);
  if (!body) return body.error();
  if (key_is_in_path && body->is_object()) {
    body->emplace("key", json_codec::service_key_to_json(request.service));  // unless it is there
  }
  auto service = json_codec::service_from_json(*body, "");
  if (service && key_is_in_path && service->key != request.service) return key_differs(request.service.to_string());
  return service;
}

Result<Destination> destination_of(const Request& request, bool key_is_in_path) {
  auto body = parse_body(request);
  if (!body) return body.error();
  if (key_is_in_path && body->is_object()) {
    body->emplace("key", json_codec::destination_key_to_json(request.destination));
  }
  auto destination = json_codec::destination_from_json(*body, "");
  if (destination && key_is_in_path && destination->key != request.destination) {
    return key_differs(request.destination.to_string());
  }
  return destination;
}

}  // namespace

Answer get_version(Director& director, const Request&) {
  const Status status = director.status();
  return json_answer(200, {{"version", status.version}, {"abi", status.abi}, {"api", "v1"}});
}

Answer get_status(Director& director, const Request&) { return json_answer(200, status_to_json(director.status())); }

Answer list_services(Director& director, const Request&) { return streamed(service_list(director)); }

Answer add_service(Director& director, const Request& request) {
  const auto service = service_of(request, /*key_is_in_path=*/false);
  if (!service) return problem_answer(service.error());
  return execute(director, AddService{*service}, 201);
}

Answer flush(Director& director, const Request&) { return execute(director, Flush{}, 204); }

Answer get_service(Director& director, const Request& request) {
  auto service = director.service(request.service);
  if (!service) return problem_answer(service.error());
  return streamed(single_service(std::move(*service)));
}

Answer edit_service(Director& director, const Request& request) {
  const auto service = service_of(request, /*key_is_in_path=*/true);
  if (!service) return problem_answer(service.error());
  return execute(director, EditService{*service}, 204);
}

Answer delete_service(Director& director, const Request& request) {
  return execute(director, DeleteService{request.service}, 204);
}

Answer add_destination(Director& director, const Request& request) {
  const auto destination = destination_of(request, /*key_is_in_path=*/false);
  if (!destination) return problem_answer(destination.error());
  return execute(director, AddDestination{request.service, *destination}, 201);
}

Answer edit_destination(Director& director, const Request& request) {
  const auto destination = destination_of(request, /*key_is_in_path=*/true);
  if (!destination) return problem_answer(destination.error());
  return execute(director, EditDestination{request.service, *destination}, 204);
}

Answer delete_destination(Director& director, const Request& request) {
  return execute(director, DeleteDestination{request.service, request.destination}, 204);
}

Answer get_timeouts(Director& director, const Request&) {
  return json_answer(200, json_codec::timeouts_to_json(director.timeouts()));
}

Answer set_timeouts(Director& director, const Request& request) {
  const auto body = parse_body(request);
  if (!body) return problem_answer(body.error());
  const auto timeouts = json_codec::timeouts_from_json(*body, "");
  if (!timeouts) return problem_answer(timeouts.error());
  return execute(director, SetTimeouts{*timeouts}, 204);
}

Answer get_tunables(Director& director, const Request&) {
  return json_answer(200, json_codec::settings_to_json(director.tunables()));
}

Answer set_tunables(Director& director, const Request& request) {
  const auto body = parse_body(request);
  if (!body) return problem_answer(body.error());
  auto settings = json_codec::settings_from_json(*body, "");
  if (!settings) return problem_answer(settings.error());
  return execute(director, SetTunables{std::move(*settings)}, 204);
}

Answer list_sync_daemons(Director& director, const Request&) {
  Json list = Json::array();
  for (const SyncDaemon& daemon : director.sync_daemons()) list.push_back(json_codec::sync_daemon_to_json(daemon));
  return json_answer(200, list);
}

Answer zero(Director& director, const Request& request) {
  Zero command;
  if (!request.body.empty()) {
    const auto body = parse_body(request);
    if (!body) return problem_answer(body.error());
    json_codec::ObjectReader reader(*body, "");
    reader.read_nested("service", json_codec::service_key_from_json, command.service);
    const auto read = reader.finish(command);
    if (!read) return problem_answer(read.error());
  }
  return execute(director, command, 204);
}

Answer list_connections(Director& director, const Request&) {
  return streamed(connection_lines(director.connections()), kNdjson);
}

Answer list_sessions(Director& director, const Request& request) {
  const auto filter = session_filter_of(request);
  if (!filter) return problem_answer(filter.error());
  return streamed(session_lines(director.sessions(*filter)), kNdjson);
}

Answer get_remaining(Director& director, const Request& request) {
  const auto filter = session_filter_of(request);
  if (!filter) return problem_answer(filter.error());
  return streamed(remaining_count(director.remaining(*filter)));
}

Answer explain(Director& director, const Request& request) {
  const auto question = explain_question_of(request);
  if (!question) return problem_answer(question.error());
  const auto explanation = director.explain(*question);
  if (!explanation) return problem_answer(explanation.error());
  return json_answer(200, json_codec::explanation_to_json(*explanation));
}

Answer run_commands(Director& director, const Request& request) {
  auto run = command_run(director, std::string(request.body));
  if (!run) return problem_answer(run.error());
  return streamed(std::move(*run));
}

Answer run_transaction(Director& director, const Request& request) {
  auto run = transaction_run(director, std::string(request.body));
  if (!run) return problem_answer(run.error());
  return streamed(std::move(*run));
}

Answer what_if(Director& director, const Request& request) {
  auto run = what_if_run(director, std::string(request.body));
  if (!run) return problem_answer(run.error());
  return streamed(std::move(*run), kNdjson);
}

Answer unload(Director& director, const Request&) {
  const auto outcome = director.unload();
  if (!outcome) return problem_answer(outcome.error());
  Answer answer;
  answer.unloaded = true;
  answer.close = true;
  return answer;
}

}  // namespace limpet::api
