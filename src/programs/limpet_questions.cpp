// SPDX-License-Identifier: Apache-2.0
// `limpet services`, `limpet sessions` and `limpet explain`.
#include "programs/limpet_questions.h"

#include <string>

#include "api/client.h"
#include "json/json.h"
#include "programs/limpet_explain.h"
#include "programs/limpet_print.h"
#include "programs/limpet_services.h"
#include "programs/limpet_sessions.h"

namespace limpet {
namespace {

std::string pretty(const json_codec::Json& json) {
  return json.dump(2, ' ', false, json_codec::Json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<void> show_services(const std::filesystem::path& run_directory, bool as_json) {
  auto client = api::Client::connect(run_directory);
  if (!client) return client.error();
  auto services = client->services();
  if (!services) return services.error();
  if (!as_json) return printed(print(services_page(std::move(*services))));
  json_codec::Json list = json_codec::Json::array();
  for (const ServiceView& view : *services) list.push_back(json_codec::service_view_to_json(view));
  return printed(print(pretty(list)));
}

Result<void> show_sessions(const std::filesystem::path& run_directory, const SessionArguments& arguments,
                           bool as_json) {
  const auto filter = read_session_arguments(arguments);
  if (!filter) return filter.error();
  auto client = api::Client::connect(run_directory);
  if (!client) return client.error();
  bool all = as_json || print(sessions_header());
  const auto listed = client->sessions(*filter, [&](const SessionView& session) {
    all = all &&
          print(as_json ? json_codec::to_text(json_codec::session_to_json(session)) + "\n" : session_line(session));
    return all;
  });
  // What has come before the listing broke off is printed all the same.
  const auto done = printed(all);
  return listed ? done : listed;
}

Result<void> show_explanation(const std::filesystem::path& run_directory, const ExplainArguments& arguments,
                              bool as_json) {
  const auto question = read_explain_arguments(arguments);
  if (!question) return question.error();
  auto client = api::Client::connect(run_directory);
  if (!client) return client.error();
  const auto explanation = client->explain(*question);
  if (!explanation) return explanation.error();
  return printed(print(as_json ? pretty(json_codec::explanation_to_json(*explanation))
                               : explanation_text(*question, *explanation)));
}

}  // namespace limpet
