// SPDX-License-Identifier: Apache-2.0
// Strict reading of one JSON object; the sentences of its errors stand here.
#include "json/object_reader.h"

#include <algorithm>

namespace limpet::json_codec {
namespace {

// A name from outside may be a megabyte long: an error quotes its beginning.
std::string name_in_quotes(std::string_view name) {
  constexpr std::size_t kLongest = 80;
  const std::string_view shown = name.substr(0, kLongest);
  return "\"" + std::string(shown) + (shown.size() < name.size() ? "…" : "") + "\"";
}

}  // namespace

ObjectReader::ObjectReader(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object_.is_object()) fail((path_.empty() ? "the document" : name_in_quotes(path_)) + " must be an object");
}

bool ObjectReader::has(std::string_view name) const { return object_.is_object() && object_.contains(name); }

void ObjectReader::require(std::string_view name) {
  if (!has(name)) fail("the field " + name_in_quotes(path_of(name)) + " is missing");
}

const Json* ObjectReader::find(std::string_view name) {
  note(name);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

void ObjectReader::read(std::string_view name, bool& value) {
  const Json* field = find(name);
  if (field == nullptr) return;
  if (!field->is_boolean()) return wrong(name, "true or false");
  value = field->get<bool>();
}

void ObjectReader::read(std::string_view name, std::string& value) {
  const Json* field = find(name);
  if (field == nullptr) return;
  if (!field->is_string()) return wrong(name, "a string");
  value = field->get_ref<const std::string&>();
}

std::optional<std::uint64_t> ObjectReader::whole_number(std::string_view name, std::uint64_t largest) {
  const Json* field = find(name);
  if (field == nullptr) return std::nullopt;
  const bool whole = field->is_number_unsigned() || (field->is_number_integer() && field->get<std::int64_t>() >= 0);
  if (!whole || field->get<std::uint64_t>() > largest) {
    wrong(name, "a whole number from 0 to " + std::to_string(largest));
    return std::nullopt;
  }
  return field->get<std::uint64_t>();
}

std::string ObjectReader::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

void ObjectReader::wrong(std::string_view name, const std::string& expected) {
  fail("the field " + name_in_quotes(path_of(name)) + " must be " + expected);
}

void ObjectReader::refuse_unknown_fields() {
  if (error_ || !object_.is_object()) return;
  for (const auto& [name, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    return fail("the field " + name_in_quotes(path_of(name)) + " is unknown");
  }
}

void ObjectReader::fail(std::string text) {
  if (!error_) error_ = Error{ErrorCode::bad_request, std::move(text)};
}

}  // namespace limpet::json_codec
