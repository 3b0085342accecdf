// SPDX-License-Identifier: Apache-2.0
// Errors as RFC 9457 problem documents, and JSON text in and out.
#include "json/json.h"
#include "json/names.h"

namespace limpet::json_codec {
namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  int status;
};

constexpr std::array<CodeRow, 20> kCodes{{{ErrorCode::internal, "internal", 500},
                                          {ErrorCode::service_exists, "service-exists", 409},
                                          {ErrorCode::no_such_service, "no-such-service", 404},
                                          {ErrorCode::service_not_defined, "service-not-defined", 404},
                                          {ErrorCode::destination_exists, "destination-exists", 409},
                                          {ErrorCode::no_such_destination, "no-such-destination", 404},
                                          {ErrorCode::scheduler_not_found, "scheduler-not-found", 422},
                                          {ErrorCode::sync_daemon_runs, "sync-daemon-runs", 409},
                                          {ErrorCode::no_sync_daemon, "no-sync-daemon", 404},
                                          {ErrorCode::no_such_device, "no-such-device", 422},
                                          {ErrorCode::no_such_setting, "no-such-setting", 404},
                                          {ErrorCode::invalid, "invalid", 422},
                                          {ErrorCode::out_of_range, "out-of-range", 422},
                                          {ErrorCode::family_not_supported, "family-not-supported", 422},
                                          {ErrorCode::not_supported, "not-supported", 422},
                                          {ErrorCode::no_space, "no-space", 507},
                                          {ErrorCode::permission, "permission", 403},
                                          {ErrorCode::not_running, "not-running", 503},
                                          {ErrorCode::other_namespace, "other-namespace", 421},
                                          {ErrorCode::bad_request, "bad-request", 400}}};

const CodeRow& row_of(ErrorCode code) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return row;
  }
  return kCodes.front();
}

// RFC 9457 §4.2.1: with the type about:blank the title is the status's own phrase.
std::string_view status_phrase(int status) {
  constexpr std::array<Named<int>, 13> kPhrases{{{"Internal Server Error", 500},
                                                 {"Bad Request", 400},
                                                 {"Forbidden", 403},
                                                 {"Not Found", 404},
                                                 {"Method Not Allowed", 405},
                                                 {"Conflict", 409},
                                                 {"Content Too Large", 413},
                                                 {"Misdirected Request", 421},
                                                 {"Unprocessable Content", 422},
                                                 {"Request Header Fields Too Large", 431},
                                                 {"Service Unavailable", 503},
                                                 {"HTTP Version Not Supported", 505},
                                                 {"Insufficient Storage", 507}}};
  return name_of(kPhrases, status);
}

}  // namespace

std::string to_text(const Json& document) { return document.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<Json> parse_text(std::string_view text, std::string_view what) {
  Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return Error{ErrorCode::bad_request, std::string(what) + " is not valid JSON"};
  return document;
}

std::string_view error_code_name(ErrorCode code) { return row_of(code).name; }
int http_status(ErrorCode code) { return row_of(code).status; }

Json problem_to_json(const Error& error, int status) {
  return {{"type", "about:blank"},
          {"title", status_phrase(status)},
          {"status", status},
          {"detail", error.text},
          {"code", error_code_name(error.code)}};
}

Json problem_to_json(const Error& error) { return problem_to_json(error, http_status(error.code)); }

Error error_from_problem(const Json& json) {
  const bool is_problem = json.is_object() && json.contains("code") && json["code"].is_string();
  if (!is_problem) return Error{ErrorCode::internal, "limpetd answered an error without saying which"};
  Error error{ErrorCode::internal, {}};
  for (const CodeRow& row : kCodes) {
    if (row.name == json["code"].get_ref<const std::string&>()) error.code = row.code;
  }
  if (json.contains("detail") && json["detail"].is_string()) error.text = json["detail"].get<std::string>();
  return error;
}

}  // namespace limpet::json_codec
