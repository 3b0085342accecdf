// SPDX-License-Identifier: Apache-2.0
// Strict reading of one JSON object: every field is known, of the right type and in range, or the error names it.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/result.h"

namespace limpet::json_codec {

using Json = nlohmann::json;

// Reads field by field and remembers the first thing that is wrong; finish() then answers the value or that error.
// A field that is missing leaves its variable as it is, so the caller's defaults stand.
class ObjectReader {
 public:
  // `path` names the object in errors ("destination"); empty for a whole document.
  ObjectReader(const Json& object, std::string path);

  bool has(std::string_view name) const;
  void require(std::string_view name);

  void read(std::string_view name, bool& value);
  void read(std::string_view name, std::string& value);
  template <std::unsigned_integral T>
  void read(std::string_view name, T& value) {
    if (const auto number = whole_number(name, std::numeric_limits<T>::max())) value = static_cast<T>(*number);
  }
  // A string that `parse` understands; `expected` ends the sentence "… must be …".
  template <class T, class Parse>
  void read_text(std::string_view name, std::string_view expected, Parse parse, T& value) {
    std::string text;
    if (!has(name)) return note(name);
    read(name, text);
    if (error_) return;
    if (auto parsed = parse(std::string_view(text))) {
      value = std::move(*parsed);
    } else {
      wrong(name, std::string(expected));
    }
  }
  // A nested document: `decode(json, path)` answers a Result<T>.
  template <class T, class Decode>
  void read_nested(std::string_view name, Decode decode, T& value) {
    const Json* field = find(name);
    if (field == nullptr || error_) return;
    if (auto decoded = decode(*field, path_of(name))) {
      value = std::move(*decoded);
    } else {
      error_ = decoded.error();
    }
  }
  template <class T, class Decode>
  void read_list(std::string_view name, Decode decode, std::vector<T>& values) {
    const Json* field = find(name);
    if (field == nullptr || error_) return;
    if (!field->is_array()) return wrong(name, "a list");
    for (std::size_t index = 0; index < field->size() && !error_; ++index) {
      auto decoded = decode((*field)[index], path_of(name) + "[" + std::to_string(index) + "]");
      if (!decoded) error_ = decoded.error();
      if (decoded) values.push_back(std::move(*decoded));
    }
  }

  // For what only the caller knows to be wrong: "`name` must be `expected`".
  void wrong(std::string_view name, const std::string& expected);

  // The value, unless a field was wrong or one was present that nobody asked for.
  template <class T>
  Result<T> finish(T value) {
    refuse_unknown_fields();
    if (error_) return *error_;
    return value;
  }

 private:
  const Json* find(std::string_view name);
  void note(std::string_view name) { known_.push_back(name); }
  std::optional<std::uint64_t> whole_number(std::string_view name, std::uint64_t largest);
  std::string path_of(std::string_view name) const;
  void refuse_unknown_fields();
  void fail(std::string text);

  const Json& object_;
  std::string path_;
  std::vector<std::string_view> known_;  // callers name fields by literals
  std::optional<Error> error_;
};

}  // namespace limpet::json_codec
