// SPDX-License-Identifier: Apache-2.0
// The daemon's status as JSON and back.
#include "api/status_json.h"

#include "json/object_reader.h"

namespace limpet::api {
namespace {

using json_codec::Json;
using json_codec::ObjectReader;

Result<DoorStatus> door_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  DoorStatus door;
  reader.read("interface", door.interface);
  reader.read("door", door.door);
  reader.read("reason", door.reason);
  return reader.finish(std::move(door));
}

Result<TableStatus> table_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  TableStatus table;
  reader.read("name", table.name);
  reader.read("entries", table.entries);
  reader.read("ceiling", table.ceiling);
  return reader.finish(std::move(table));
}

Result<std::string> sentence_from_json(const Json& json, const std::string& path) {
  if (json.is_string()) return json.get<std::string>();
  return Error{ErrorCode::bad_request, "the field \"" + path + "\" must be a string"};
}

}  // namespace

Json status_to_json(const Status& status) {
  Json doors = Json::array();
  for (const DoorStatus& door : status.doors) {
    doors.push_back({{"interface", door.interface}, {"door", door.door}, {"reason", door.reason}});
  }
  Json tables = Json::array();
  for (const TableStatus& table : status.tables) {
    tables.push_back({{"name", table.name}, {"entries", table.entries}, {"ceiling", table.ceiling}});
  }
  return {{"version", status.version},
          {"abi", status.abi},
          {"network_namespace", status.network_namespace},
          {"doors", std::move(doors)},
          {"tables", std::move(tables)},
          {"sweep_pass_ms", status.sweep_pass_ms},
          {"sweep_lag_ms", status.sweep_lag_ms},
          {"warnings", status.warnings}};
}

Result<Status> status_from_json(const Json& json) {
  ObjectReader reader(json, "");
  Status status;
  reader.require("version");
  reader.read("version", status.version);
  reader.read("abi", status.abi);
  reader.read("network_namespace", status.network_namespace);
  reader.read_list("doors", door_from_json, status.doors);
  reader.read_list("tables", table_from_json, status.tables);
  reader.read("sweep_pass_ms", status.sweep_pass_ms);
  reader.read("sweep_lag_ms", status.sweep_lag_ms);
  reader.read_list("warnings", sentence_from_json, status.warnings);
  return reader.finish(std::move(status));
}

}  // namespace limpet::api
