// SPDX-License-Identifier: Apache-2.0
// Reads what limpet's subcommands are asked about.
#include "programs/limpet_arguments.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace limpet {
namespace {

Error wrong(std::string_view option, std::string_view word, std::string_view expected) {
  return {ErrorCode::bad_request, fmt::format("{}: \"{}\" is not {}", option, word, expected)};
}

std::optional<Mark> read_mark(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  Mark mark;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mark.value, hexadecimal ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size() || mark.value == 0) return std::nullopt;
  return mark;
}

std::optional<ServiceKey> read_address_service(Protocol protocol, std::string_view text) {
  // "*" is how limpet itself writes port 0.
  const auto server = text.ends_with(":*") ? ServerName::parse(std::string(text.substr(0, text.size() - 1)) + "0")
                                           : ServerName::parse(text);
  if (!server) return std::nullopt;
  return ServiceKey::of_address(protocol, server->address, server->port.value_or(Port{}));
}

std::optional<ServiceKey> read_service(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Protocol>, 4> kProtocols = {
      {{"t", Protocol::tcp}, {"tcp", Protocol::tcp}, {"u", Protocol::udp}, {"udp", Protocol::udp}}};
  const std::size_t end = text.find_first_of(":/");
  if (end != std::string_view::npos) {
    const std::string_view word = text.substr(0, end);
    const std::string_view rest = text.substr(end + 1);
    if (word == "f" || word == "fwm") {
      if (const auto mark = read_mark(rest)) return ServiceKey::of_mark(*mark);
    }
    for (const auto& [name, protocol] : kProtocols)
      if (word == name) return read_address_service(protocol, rest);
  }
  return read_address_service(Protocol::tcp, text);
}

// "90", "90s", "10m", "2h", "1d": seconds, above 0.
std::optional<std::uint32_t> read_duration(std::string_view text) {
  constexpr std::array<std::pair<char, std::uint32_t>, 4> kUnits = {{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}}};
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto unit_length = text.data() + text.size() - end;
  if (error != std::errc{} || unit_length > 1 || number == 0) return std::nullopt;
  if (unit_length == 0) return number;
  for (const auto& [letter, seconds] : kUnits)
    if (*end == letter && number <= std::numeric_limits<std::uint32_t>::max() / seconds) return number * seconds;
  return std::nullopt;
}

}  // namespace

Result<DrainGoal> read_drain_arguments(const DrainArguments& arguments) {
  DrainGoal goal;
  const auto server = ServerName::parse(arguments.server);
  if (!server) return wrong("SERVER", arguments.server, "a real server such as 10.0.0.1 or 10.0.0.1:80");
  goal.server = *server;
  for (const std::string& text : arguments.services) {
    const auto service = read_service(text);
    if (!service) return wrong("SERVICE", text, "a service such as 192.0.2.1:80, udp:192.0.2.1:53 or fwm:10");
    goal.services.push_back(*service);
  }
  for (const std::string& text : arguments.until) {
    if (text == "connections" || text == "persistence") {
      goal.clients_too = text == "persistence";
    } else if (const auto seconds = read_duration(text)) {
      goal.seconds = seconds;
    } else {
      return wrong("--until", text, "\"connections\", \"persistence\" or a time such as 90s, 10m or 2h");
    }
  }
  return goal;
}

Result<SessionFilter> read_session_arguments(const SessionArguments& arguments) {
  SessionFilter filter;
  if (!arguments.client.empty()) {
    filter.client = Network::parse(arguments.client);
    if (!filter.client) return wrong("--client", arguments.client, "an address, or a network such as 10.1.0.0/24");
  }
  if (!arguments.service.empty()) {
    filter.service = read_service(arguments.service);
    if (!filter.service)
      return wrong("--service", arguments.service, "a service such as 192.0.2.1:80, udp:192.0.2.1:53 or fwm:10");
  }
  if (!arguments.server.empty()) {
    filter.server = ServerName::parse(arguments.server);
    if (!filter.server) return wrong("--server", arguments.server, "a real server such as 10.0.0.1 or 10.0.0.1:80");
  }
  return filter;
}

Result<ExplainQuestion> read_explain_arguments(const ExplainArguments& arguments) {
  ExplainQuestion question;
  question.protocol = arguments.udp ? Protocol::udp : Protocol::tcp;
  const auto client = ServerName::parse(arguments.client);
  if (!client || client->port == Port{0})
    return wrong("CLIENT", arguments.client, "an address such as 10.1.0.1, with or without its port");
  question.client = client->address;
  question.client_port = client->port.value_or(Port{});
  const auto target = endpoint_from_string(arguments.virtual_endpoint);
  if (!target || target->port == Port{0})
    return wrong("VIP:PORT", arguments.virtual_endpoint, "an address and a port such as 192.0.2.1:80");
  question.virtual_address = target->address;
  question.virtual_port = target->port;
  if (!arguments.mark.empty()) {
    const auto mark = read_mark(arguments.mark);
    if (!mark) return wrong("--mark", arguments.mark, "a mark from 1 to 4294967295");
    question.mark = *mark;
  }
  return question;
}

}  // namespace limpet
