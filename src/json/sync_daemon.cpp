// SPDX-License-Identifier: Apache-2.0
// Synchronisation daemons as JSON.
#include "json/json.h"
#include "json/names.h"
#include "json/object_reader.h"

namespace limpet::json_codec {
namespace {

constexpr std::array<Named<SyncRole>, 2> kRoles{{{"master", SyncRole::master}, {"backup", SyncRole::backup}}};

}  // namespace

Json sync_role_to_json(SyncRole role) { return name_of(kRoles, role); }

Result<SyncRole> sync_role_from_json(const Json& json, const std::string& path) {
  const auto role = json.is_string() ? value_of(kRoles, json.get_ref<const std::string&>()) : std::nullopt;
  if (role) return *role;
  return Error{ErrorCode::bad_request, "the field \"" + path + "\" must be " + expected_names(kRoles)};
}

Json sync_daemon_to_json(const SyncDaemon& daemon) {
  return {{"role", sync_role_to_json(daemon.role)},
          {"interface", daemon.interface},
          {"sync_id", daemon.sync_id},
          {"max_length", daemon.max_length},
          {"group", daemon.group.to_string()},
          {"port", daemon.port.value},
          {"ttl", daemon.ttl}};
}

Result<SyncDaemon> sync_daemon_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  SyncDaemon daemon;
  reader.require("role");
  reader.read_nested("role", sync_role_from_json, daemon.role);
  reader.read("interface", daemon.interface);
  reader.read("sync_id", daemon.sync_id);
  reader.read("max_length", daemon.max_length);
  reader.read_text("group", "a multicast address such as \"224.0.0.81\"", Address::parse, daemon.group);
  reader.read("port", daemon.port.value);
  reader.read("ttl", daemon.ttl);
  return reader.finish(std::move(daemon));
}

}  // namespace limpet::json_codec
