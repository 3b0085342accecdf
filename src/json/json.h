// SPDX-License-Identifier: Apache-2.0
// The model as JSON and back: one form for the HTTP API and the director's journal (docs/openapi.yaml describes it).
//
// Writing never fails. Reading is strict about form (unknown fields, wrong types and numbers that do not fit are
// bad_request, and the text names the field) and leaves what a value may mean to the director: the journal must be
// able to hold whatever the director accepted. Fields left out take the model's defaults, as ipvsadm's options do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/command.h"
#include "model/explanation.h"
#include "model/foresight.h"
#include "model/result.h"
#include "model/session.h"
#include "model/view.h"

namespace limpet::json_codec {

using Json = nlohmann::json;

// Compact text. Bytes that are no UTF-8 (they can only come out of error texts) are replaced, not thrown at.
std::string to_text(const Json& document);
// bad_request: not JSON; `what` begins the sentence ("the body").
Result<Json> parse_text(std::string_view text, std::string_view what);

Json service_key_to_json(const ServiceKey& key);  // "tcp/192.0.2.1:80"
Result<ServiceKey> service_key_from_json(const Json& json, const std::string& path = "service");
Json destination_key_to_json(const DestinationKey& key);  // "10.0.0.1:80"
Result<DestinationKey> destination_key_from_json(const Json& json, const std::string& path = "destination");

Json service_to_json(const Service& service);
// Defaults that depend on other fields: timeout 360 when persistent, netmask 128 for IPv6.
Result<Service> service_from_json(const Json& json, const std::string& path = "service");
Json destination_to_json(const Destination& destination);
Result<Destination> destination_from_json(const Json& json, const std::string& path = "destination");

Json timeouts_to_json(const Timeouts& timeouts);
Result<Timeouts> timeouts_from_json(const Json& json, const std::string& path = "timeouts");  // left out: 0, "as it is"

// {"drop_entry": 3, "sync_threshold": "3\t50"}: a value that is one number as a number. Reading takes both.
Json settings_to_json(const std::vector<Setting>& settings);
Result<std::vector<Setting>> settings_from_json(const Json& json, const std::string& path = "tunables");

Json sync_role_to_json(SyncRole role);  // "master"
Result<SyncRole> sync_role_from_json(const Json& json, const std::string& path = "role");
Json sync_daemon_to_json(const SyncDaemon& daemon);
Result<SyncDaemon> sync_daemon_from_json(const Json& json, const std::string& path = "daemon");

Json command_to_json(const Command& command);         // {"op": "add-service", "service": {…}}
std::string command_to_text(const Command& command);  // to_text(command_to_json(command)), and much faster
Result<Command> command_from_json(const Json& json, const std::string& path = "");

Json counters_to_json(const Counters& counters);
Result<Counters> counters_from_json(const Json& json, const std::string& path = "counters");
Json rates_to_json(const Rates& rates);
Result<Rates> rates_from_json(const Json& json, const std::string& path = "rates");

Json destination_view_to_json(const DestinationView& view);
Result<DestinationView> destination_view_from_json(const Json& json, const std::string& path = "destination");
Json service_view_head_to_json(const ServiceView& view);  // all but the destinations, for whoever streams those
Json service_view_to_json(const ServiceView& view);
Result<ServiceView> service_view_from_json(const Json& json, const std::string& path = "service");

Json connection_to_json(const ConnectionView& view);
Result<ConnectionView> connection_from_json(const Json& json, const std::string& path = "connection");

Json session_to_json(const SessionView& view);
Result<SessionView> session_from_json(const Json& json, const std::string& path = "session");
Json remaining_to_json(const Remaining& remaining);
Result<Remaining> remaining_from_json(const Json& json, const std::string& path = "remaining");
Json foresight_line_to_json(const ForesightLine& line);
Result<ForesightLine> foresight_line_from_json(const Json& json, const std::string& path = "line");
Json explanation_to_json(const Explanation& explanation);
Result<Explanation> explanation_from_json(const Json& json, const std::string& path = "explanation");

std::string_view error_code_name(ErrorCode code);  // "no-such-service"
int http_status(ErrorCode code);                   // 404
// An RFC 9457 problem document; `status` where the circumstances ask for another than http_status(error.code).
Json problem_to_json(const Error& error, int status);
Json problem_to_json(const Error& error);
// The error a problem document tells of; a document that is none becomes `internal`.
Error error_from_problem(const Json& json);

}  // namespace limpet::json_codec
