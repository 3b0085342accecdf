// SPDX-License-Identifier: Apache-2.0
// Settings (net.ipv4.vs.*) as one object of names and values.
#include <charconv>

#include "json/json.h"

namespace limpet::json_codec {
namespace {

Json value_to_json(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && std::to_string(number) == text) return number;
  return text;
}

}  // namespace

Json settings_to_json(const std::vector<Setting>& settings) {
  Json json = Json::object();
  for (const Setting& setting : settings) json[setting.name] = value_to_json(setting.value);
  return json;
}

Result<std::vector<Setting>> settings_from_json(const Json& json, const std::string& path) {
  const std::string where = path.empty() ? "the document" : "the field \"" + path + "\"";
  if (!json.is_object()) return Error{ErrorCode::bad_request, where + " must be an object of names and values"};
  std::vector<Setting> settings;
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) {
      settings.push_back({name, value.get<std::string>()});
    } else if (value.is_number_integer()) {
      settings.push_back({name, value.dump()});
    } else {
      return Error{ErrorCode::bad_request,
                   "the field \"" + (path.empty() ? "" : path + ".") + name + "\" must be a number or a string"};
    }
  }
  return settings;
}

}  // namespace limpet::json_codec
