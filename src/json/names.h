// SPDX-License-Identifier: Apache-2.0
// Tables of names for enumerations and flag bits: one place for both directions.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "json/object_reader.h"

namespace limpet::json_codec {

template <class T>
struct Named {
  std::string_view name;
  T value;
};

template <class T, std::size_t N>
std::string_view name_of(const std::array<Named<T>, N>& table, T value) {
  for (const auto& row : table) {
    if (row.value == value) return row.name;
  }
  return table.front().name;
}

template <class T, std::size_t N>
std::optional<T> value_of(const std::array<Named<T>, N>& table, std::string_view name) {
  for (const auto& row : table) {
    if (row.name == name) return row.value;
  }
  return std::nullopt;
}

template <class T, std::size_t N>
std::string expected_names(const std::array<Named<T>, N>& table) {
  std::string names = "one of";
  for (const auto& row : table) names.append(names == "one of" ? " " : ", ").append(row.name);
  return names;
}

template <class T, std::size_t N>
void read_name(ObjectReader& reader, std::string_view field, const std::array<Named<T>, N>& table, T& value) {
  reader.read_text(
      field, expected_names(table), [&](std::string_view name) { return value_of(table, name); }, value);
}

// Bits as a list of their names; bits without a name are not IPVS's and are left out.
template <class T, std::size_t N>
Json bits_to_json(const std::array<Named<T>, N>& table, T bits) {
  Json names = Json::array();
  for (const auto& row : table) {
    if ((bits & row.value) != 0) names.push_back(row.name);
  }
  return names;
}

template <class T, std::size_t N>
void read_bits(ObjectReader& reader, std::string_view field, const std::array<Named<T>, N>& table, T& bits) {
  std::vector<T> given;
  reader.read_list(
      field,
      [&](const Json& json, const std::string& path) -> Result<T> {
        const auto bit = json.is_string() ? value_of(table, json.get_ref<const std::string&>()) : std::nullopt;
        if (bit) return *bit;
        return Error{ErrorCode::bad_request, "the field \"" + path + "\" must be " + expected_names(table)};
      },
      given);
  for (const T bit : given) bits = static_cast<T>(bits | bit);
}

}  // namespace limpet::json_codec
