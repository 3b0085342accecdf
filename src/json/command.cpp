// SPDX-License-Identifier: Apache-2.0
// Commands as JSON: {"op": …} and what the operation needs.
#include <type_traits>
#include <utility>

#include "json/json.h"
#include "json/object_reader.h"

namespace limpet::json_codec {
namespace {

Json operation(const char* name, const char* field, Json value) {
  Json::object_t fields;
  fields.emplace("op", name);
  fields.emplace(field, std::move(value));
  return fields;
}
Json operation(const char* name, const ServiceKey& service, Json destination) {
  Json::object_t fields;
  fields.emplace("op", name);
  fields.emplace("service", service_key_to_json(service));
  fields.emplace("destination", std::move(destination));
  return fields;
}

Json encode(const AddService& command) { return operation("add-service", "service", service_to_json(command.service)); }
Json encode(const EditService& command) {
  return operation("edit-service", "service", service_to_json(command.service));
}
Json encode(const DeleteService& command) {
  return operation("delete-service", "service", service_key_to_json(command.key));
}
Json encode(const Flush&) { return {{"op", "flush"}}; }
Json encode(const AddDestination& command) {
  return operation("add-destination", command.service, destination_to_json(command.destination));
}
Json encode(const EditDestination& command) {
  return operation("edit-destination", command.service, destination_to_json(command.destination));
}
Json encode(const DeleteDestination& command) {
  return operation("delete-destination", command.service, destination_key_to_json(command.destination));
}
Json encode(const SetTimeouts& command) {
  return {{"op", "set-timeouts"}, {"timeouts", timeouts_to_json(command.timeouts)}};
}
Json encode(const SetTunables& command) {
  return {{"op", "set-tunables"}, {"tunables", settings_to_json(command.settings)}};
}
Json encode(const Zero& command) {
  Json json = {{"op", "zero"}};
  if (command.service) json["service"] = service_key_to_json(*command.service);
  return json;
}

Json encode(const StartSyncDaemon& command) {
  return {{"op", "start-sync-daemon"}, {"daemon", sync_daemon_to_json(command.daemon)}};
}
Json encode(const StopSyncDaemon& command) {
  return {{"op", "stop-sync-daemon"}, {"role", sync_role_to_json(command.role)}};
}

// The operations that replace or add: they carry a whole service or destination.
template <class T>
Result<Command> with_service(ObjectReader& reader) {
  T command;
  reader.require("service");
  reader.read_nested("service", service_from_json, command.service);
  return reader.finish(Command{std::move(command)});
}

template <class T>
Result<Command> with_destination(ObjectReader& reader) {
  T command;
  reader.require("service");
  reader.require("destination");
  reader.read_nested("service", service_key_from_json, command.service);
  if constexpr (std::is_same_v<T, DeleteDestination>) {
    reader.read_nested("destination", destination_key_from_json, command.destination);
  } else {
    reader.read_nested("destination", destination_from_json, command.destination);
  }
  return reader.finish(Command{std::move(command)});
}

Result<Command> delete_service(ObjectReader& reader) {
  DeleteService command;
  reader.require("service");
  reader.read_nested("service", service_key_from_json, command.key);
  return reader.finish(Command{command});
}

Result<Command> set_timeouts(ObjectReader& reader) {
  SetTimeouts command;
  reader.require("timeouts");
  reader.read_nested("timeouts", timeouts_from_json, command.timeouts);
  return reader.finish(Command{command});
}

Result<Command> set_tunables(ObjectReader& reader) {
  SetTunables command;
  reader.require("tunables");
  reader.read_nested("tunables", settings_from_json, command.settings);
  return reader.finish(Command{std::move(command)});
}

Result<Command> zero(ObjectReader& reader) {
  Zero command;
  reader.read_nested("service", service_key_from_json, command.service);
  return reader.finish(Command{command});
}

Result<Command> start_sync_daemon(ObjectReader& reader) {
  StartSyncDaemon command;
  reader.require("daemon");
  reader.read_nested("daemon", sync_daemon_from_json, command.daemon);
  return reader.finish(Command{std::move(command)});
}

Result<Command> stop_sync_daemon(ObjectReader& reader) {
  StopSyncDaemon command;
  reader.require("role");
  reader.read_nested("role", sync_role_from_json, command.role);
  return reader.finish(Command{command});
}

}  // namespace

Json command_to_json(const Command& command) {
  return std::visit([](const auto& alternative) { return encode(alternative); }, command);
}

Result<Command> command_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  std::string op;
  reader.require("op");
  reader.read("op", op);
  if (op == "add-service") return with_service<AddService>(reader);
  if (op == "edit-service") return with_service<EditService>(reader);
  if (op == "delete-service") return delete_service(reader);
  if (op == "flush") return reader.finish(Command{Flush{}});
  if (op == "add-destination") return with_destination<AddDestination>(reader);
  if (op == "edit-destination") return with_destination<EditDestination>(reader);
  if (op == "delete-destination") return with_destination<DeleteDestination>(reader);
  if (op == "set-timeouts") return set_timeouts(reader);
  if (op == "set-tunables") return set_tunables(reader);
  if (op == "zero") return zero(reader);
  if (op == "start-sync-daemon") return start_sync_daemon(reader);
  if (op == "stop-sync-daemon") return stop_sync_daemon(reader);
  reader.wrong("op",
               "one of add-service, edit-service, delete-service, flush, add-destination, edit-destination, "
               "delete-destination, set-timeouts, set-tunables, zero, start-sync-daemon, stop-sync-daemon");
  return reader.finish(Command{});
}

}  // namespace limpet::json_codec
