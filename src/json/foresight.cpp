// SPDX-License-Identifier: Apache-2.0
// Forecasts as JSON, a line at a time: {"service": …}, then {"server": …} for each of its servers.
#include "json/json.h"
#include "json/object_reader.h"

namespace limpet::json_codec {
namespace {

Json fates_to_json(const ConnectionFates& fates) {
  return {{"go_on", fates.go_on},
          {"strand", fates.strand},
          {"resume", fates.resume},
          {"end", fates.end},
          {"move", fates.move}};
}

Result<ConnectionFates> connection_fates_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  ConnectionFates fates;
  reader.read("go_on", fates.go_on);
  reader.read("strand", fates.strand);
  reader.read("resume", fates.resume);
  reader.read("end", fates.end);
  reader.read("move", fates.move);
  return reader.finish(fates);
}

Json fates_to_json(const ClientFates& fates) {
  return {{"stay", fates.stay}, {"move", fates.move}, {"wait", fates.wait}, {"resume", fates.resume}};
}

Result<ClientFates> client_fates_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  ClientFates fates;
  reader.read("stay", fates.stay);
  reader.read("move", fates.move);
  reader.read("wait", fates.wait);
  reader.read("resume", fates.resume);
  return reader.finish(fates);
}

Json take_over_to_json(const TakeOver& take_over) {
  return {{"by", service_key_to_json(take_over.by)}, {"connections", take_over.connections}};
}

Result<TakeOver> take_over_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  TakeOver take_over;
  reader.require("by");
  reader.read_nested("by", service_key_from_json, take_over.by);
  reader.read("connections", take_over.connections);
  return reader.finish(take_over);
}

Json hash_to_json(const HashShares& shares) {
  return {{"buckets", shares.buckets}, {"moved", shares.moved}, {"refused", shares.refused}};
}

Result<std::optional<HashShares>> hash_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  HashShares shares;
  reader.read("buckets", shares.buckets);
  reader.read("moved", shares.moved);
  reader.read("refused", shares.refused);
  return reader.finish(std::optional(shares));
}

Json service_to_line(const ServiceForesight& service) {
  Json json = {{"key", service_key_to_json(service.service)},
               {"target_count", service.target_count},
               {"targets", Json::array()},
               {"targets_change", service.targets_change},
               {"taken_over", Json::array()}};
  if (service.before) json["before"] = service_to_json(*service.before);
  if (service.after) json["after"] = service_to_json(*service.after);
  if (service.hash) json["hash"] = hash_to_json(*service.hash);
  for (const DestinationKey& key : service.targets) json["targets"].push_back(destination_key_to_json(key));
  for (const TakeOver& take_over : service.taken_over) json["taken_over"].push_back(take_over_to_json(take_over));
  return {{"service", std::move(json)}};
}

Result<ForesightLine> service_from_line(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  ServiceForesight service;
  reader.require("key");
  reader.read_nested("key", service_key_from_json, service.service);
  reader.read_nested("before", service_from_json, service.before);
  reader.read_nested("after", service_from_json, service.after);
  reader.read("target_count", service.target_count);
  reader.read_list("targets", destination_key_from_json, service.targets);
  reader.read("targets_change", service.targets_change);
  reader.read_list("taken_over", take_over_from_json, service.taken_over);
  reader.read_nested("hash", hash_from_json, service.hash);
  return reader.finish(ForesightLine(std::move(service)));
}

Json server_to_line(const ServerForesight& server) {
  Json json = {{"key", destination_key_to_json(server.server)},
               {"connections", fates_to_json(server.connections)},
               {"clients", fates_to_json(server.clients)},
               {"connections_last", server.connections_last},
               {"clients_last", server.clients_last}};
  if (server.before) json["before"] = destination_to_json(*server.before);
  if (server.after) json["after"] = destination_to_json(*server.after);
  return {{"server", std::move(json)}};
}

Result<ForesightLine> server_from_line(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  ServerForesight server;
  reader.require("key");
  reader.read_nested("key", destination_key_from_json, server.server);
  reader.read_nested("before", destination_from_json, server.before);
  reader.read_nested("after", destination_from_json, server.after);
  reader.read_nested("connections", connection_fates_from_json, server.connections);
  reader.read_nested("clients", client_fates_from_json, server.clients);
  reader.read("connections_last", server.connections_last);
  reader.read("clients_last", server.clients_last);
  return reader.finish(ForesightLine(server));
}

}  // namespace

Json foresight_line_to_json(const ForesightLine& line) {
  if (const auto* service = std::get_if<ServiceForesight>(&line)) return service_to_line(*service);
  return server_to_line(std::get<ServerForesight>(line));
}

Result<ForesightLine> foresight_line_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  ForesightLine line;
  const bool is_server = reader.has("server");
  if (!is_server) reader.require("service");
  reader.read_nested("service", service_from_line, line);
  reader.read_nested("server", server_from_line, line);
  return reader.finish(std::move(line));
}

}  // namespace limpet::json_codec
