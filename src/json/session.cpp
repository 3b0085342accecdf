// SPDX-License-Identifier: Apache-2.0
// Sessions and explanations as JSON.
#include "json/json.h"
#include "json/model_names.h"
#include "json/names.h"
#include "json/object_reader.h"

namespace limpet::json_codec {
namespace {

constexpr std::array<Named<ExplainRule>, 13> kRules{{{"connection", ExplainRule::connection},
                                                     {"removed-server", ExplainRule::removed_server},
                                                     {"source", ExplainRule::source},
                                                     {"ftp-data", ExplainRule::ftp_data},
                                                     {"no-service", ExplainRule::no_service},
                                                     {"not-persistent", ExplainRule::not_persistent},
                                                     {"not-local", ExplainRule::not_local},
                                                     {"persistence", ExplainRule::persistence},
                                                     {"scheduler", ExplainRule::scheduler},
                                                     {"hash", ExplainRule::hash},
                                                     {"no-server", ExplainRule::no_server},
                                                     {"bypass", ExplainRule::bypass},
                                                     {"drop-packet", ExplainRule::drop_packet}}};
constexpr std::array<Named<ExplainOutcome>, 4> kOutcomes{{{"forwarded", ExplainOutcome::forwarded},
                                                          {"dropped", ExplainOutcome::dropped},
                                                          {"refused", ExplainOutcome::refused},
                                                          {"passed", ExplainOutcome::passed}}};
constexpr std::array<Named<Hashed>, 4> kHashed{{{"nothing", Hashed::nothing},
                                                {"virtual-address", Hashed::virtual_address},
                                                {"client-address", Hashed::client_address},
                                                {"client-address-and-port", Hashed::client_address_and_port}}};
constexpr std::array<Named<WayToServer>, 4> kWays{{{"ready", WayToServer::ready},
                                                   {"unresolved", WayToServer::unresolved},
                                                   {"local", WayToServer::local},
                                                   {"unreachable", WayToServer::unreachable}}};

Json chosen_server_to_json(const ChosenServer& server) {
  return {{"key", destination_key_to_json(server.key)},
          {"method", name_of(kMethods, server.method)},
          {"weight", server.weight},
          {"way", name_of(kWays, server.way)}};
}

Result<std::optional<ChosenServer>> chosen_server_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  ChosenServer server;
  reader.require("key");
  reader.read_nested("key", destination_key_from_json, server.key);
  read_name(reader, "method", kMethods, server.method);
  reader.read("weight", server.weight);
  read_name(reader, "way", kWays, server.way);
  return reader.finish(std::optional<ChosenServer>(server));
}

}  // namespace

Json session_to_json(const SessionView& view) {
  return {{"connection", connection_to_json(view.connection)},
          {"service", service_key_to_json(view.service)},
          {"scheduler", view.scheduler},
          {"method", name_of(kMethods, view.method)},
          {"server_removed", view.server_removed},
          {"network", view.network},
          {"controlled", view.controlled}};
}

Result<SessionView> session_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  SessionView view;
  reader.require("connection");
  reader.require("service");
  reader.read_nested("connection", connection_from_json, view.connection);
  reader.read_nested("service", service_key_from_json, view.service);
  reader.read("scheduler", view.scheduler);
  read_name(reader, "method", kMethods, view.method);
  reader.read("server_removed", view.server_removed);
  reader.read("network", view.network);
  reader.read("controlled", view.controlled);
  return reader.finish(std::move(view));
}

Json remaining_to_json(const Remaining& remaining) {
  return {{"connections", remaining.connections},
          {"clients", remaining.clients},
          {"connections_last", remaining.connections_last},
          {"clients_last", remaining.clients_last}};
}

Result<Remaining> remaining_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  Remaining remaining;
  reader.read("connections", remaining.connections);
  reader.read("clients", remaining.clients);
  reader.read("connections_last", remaining.connections_last);
  reader.read("clients_last", remaining.clients_last);
  return reader.finish(remaining);
}

Json explanation_to_json(const Explanation& explanation) {
  Json json = {{"outcome", name_of(kOutcomes, explanation.outcome())},
               {"rule", name_of(kRules, explanation.rule)},
               {"scheduler", explanation.scheduler},
               {"hashes", name_of(kHashed, explanation.hashes)},
               {"state", explanation.state},
               {"expires", explanation.expires},
               {"network", explanation.network},
               {"reused", explanation.reused},
               {"given_up", explanation.given_up},
               {"deferred", explanation.deferred},
               {"weight_0", Json::array()}};
  if (explanation.service) json["service"] = service_key_to_json(*explanation.service);
  if (explanation.server) json["server"] = chosen_server_to_json(*explanation.server);
  if (explanation.former) json["former"] = destination_key_to_json(*explanation.former);
  for (const DestinationKey& key : explanation.weight_0) json["weight_0"].push_back(destination_key_to_json(key));
  return json;
}

Result<Explanation> explanation_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  Explanation explanation;
  ExplainOutcome follows_from_the_rest{};
  reader.require("rule");
  read_name(reader, "outcome", kOutcomes, follows_from_the_rest);
  read_name(reader, "rule", kRules, explanation.rule);
  reader.read("scheduler", explanation.scheduler);
  read_name(reader, "hashes", kHashed, explanation.hashes);
  reader.read("state", explanation.state);
  reader.read("expires", explanation.expires);
  reader.read("network", explanation.network);
  reader.read("reused", explanation.reused);
  reader.read("given_up", explanation.given_up);
  reader.read("deferred", explanation.deferred);
  reader.read_list("weight_0", destination_key_from_json, explanation.weight_0);
  reader.read_nested("service", service_key_from_json, explanation.service);
  reader.read_nested("server", chosen_server_from_json, explanation.server);
  reader.read_nested("former", destination_key_from_json, explanation.former);
  return reader.finish(std::move(explanation));
}

}  // namespace limpet::json_codec
