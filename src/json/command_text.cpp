// SPDX-License-Identifier: Apache-2.0
// Commands as text at once: every change is written to the journal before it is carried out, and a document that is
// built, put into order and taken down again for each is most of what a change would cost. Character by character what
// command_to_json() and to_text() make of it: fields in the order of their names.
#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "json/json.h"
#include "json/model_names.h"

namespace limpet::json_codec {
namespace {

class Text {
 public:
  Text() { text_.reserve(kUsual); }

  // Characters that stand for themselves.
  Text& put(std::string_view characters) {
    text_.append(characters);
    return *this;
  }
  Text& number(std::uint32_t value) {
    char digits[10];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return put(std::string_view(digits, static_cast<std::size_t>(end - digits)));
  }
  Text& boolean(bool value) { return put(value ? "true" : "false"); }
  // In quotes. Names that a user gave may hold anything.
  Text& quote(std::string_view characters) {
    const bool plain = std::all_of(characters.begin(), characters.end(),
                                   [](char each) { return each >= ' ' && each <= '~' && each != '"' && each != '\\'; });
    if (!plain) return put(to_text(Json(characters)));
    return put("\"").put(characters).put("\"");
  }
  std::string take() { return std::move(text_); }

 private:
  static constexpr std::size_t kUsual = 256;
  std::string text_;
};

template <std::size_t N>
void write_bits(Text& to, const std::array<Named<std::uint32_t>, N>& table, std::uint32_t bits) {
  std::string_view before = "[";
  for (const auto& row : table) {
    if ((bits & row.value) == 0) continue;
    to.put(before).quote(row.name);
    before = ",";
  }
  to.put(before == "[" ? "[]" : "]");
}

void write(Text& to, const ServiceKey& key) { to.quote(key.to_string()); }
void write(Text& to, const DestinationKey& key) { to.quote(key.to_string()); }

void write(Text& to, const Service& service) {
  to.put("{\"key\":");
  write(to, service.key);
  to.put(",\"netmask\":");
  if (service.key.family == Family::ipv6)
    to.number(service.netmask);
  else
    to.quote(Address::ipv4(service.netmask).to_string());
  to.put(",\"one_packet\":").boolean(service.one_packet);
  to.put(",\"persistence_engine\":").quote(service.persistence_engine);
  to.put(",\"persistent\":").boolean(service.persistent);
  to.put(",\"scheduler\":").quote(service.scheduler);
  to.put(",\"scheduler_flags\":");
  write_bits(to, kSchedulerFlags, service.scheduler_flags);
  to.put(",\"timeout\":").number(service.timeout).put("}");
}

void write(Text& to, const Destination& destination) {
  if (destination.method == ForwardingMethod::tunnel || destination.tunnel != Tunnel{}) {
    to.put(to_text(destination_to_json(destination)));
    return;
  }
  to.put("{\"key\":");
  write(to, destination.key);
  to.put(",\"lower_threshold\":").number(destination.lower_threshold);
  to.put(",\"method\":").quote(name_of(kMethods, destination.method));
  to.put(",\"upper_threshold\":").number(destination.upper_threshold);
  to.put(",\"weight\":").number(destination.weight).put("}");
}

std::string of_service(std::string_view operation, const auto& service) {
  Text text;
  text.put("{\"op\":").quote(operation).put(",\"service\":");
  write(text, service);
  return text.put("}").take();
}

std::string of_destination(std::string_view operation, const ServiceKey& service, const auto& destination) {
  Text text;
  text.put("{\"destination\":");
  write(text, destination);
  text.put(",\"op\":").quote(operation).put(",\"service\":");
  write(text, service);
  return text.put("}").take();
}

struct Write {
  std::string operator()(const AddService& command) const { return of_service("add-service", command.service); }
  std::string operator()(const EditService& command) const { return of_service("edit-service", command.service); }
  std::string operator()(const DeleteService& command) const { return of_service("delete-service", command.key); }
  std::string operator()(const AddDestination& command) const {
    return of_destination("add-destination", command.service, command.destination);
  }
  std::string operator()(const EditDestination& command) const {
    return of_destination("edit-destination", command.service, command.destination);
  }
  std::string operator()(const DeleteDestination& command) const {
    return of_destination("delete-destination", command.service, command.destination);
  }
  // What nobody gives by the hundred.
  std::string operator()(const auto& other) const { return to_text(command_to_json(other)); }
};

}  // namespace

std::string command_to_text(const Command& command) { return std::visit(Write{}, command); }

}  // namespace limpet::json_codec
