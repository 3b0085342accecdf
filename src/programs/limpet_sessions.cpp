// SPDX-License-Identifier: Apache-2.0
// The lines of `limpet sessions`. They are printed as they come, so columns have widths that fit IPv4.
#include "programs/limpet_sessions.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "programs/limpet_text.h"

namespace limpet {
namespace {

constexpr Port kGivenUp{65535};  // where the kernel, too, moves templates that are given up

constexpr std::array<std::size_t, 6> kWidths = {8, 21, 21, 21, 11, 7};

bool is_given_up(const SessionView& session) {
  return session.connection.is_template && session.connection.virtual_port == kGivenUp &&
         session.service.port != kGivenUp;  // a service there keeps its templates where they are
}

std::string kind(const SessionView& session) {
  if (session.connection.is_template) return "template";
  return session.connection.protocol == Protocol::udp ? "udp" : "tcp";
}

std::string client(const SessionView& session) {
  const ConnectionView& c = session.connection;
  return c.is_template ? session.network : endpoint_to_string(c.client, c.client_port);
}

std::string target(const SessionView& session) {
  const ConnectionView& c = session.connection;
  if (c.is_template && session.service.is_mark()) return fmt::format("mark {}", session.service.mark.value);
  if (is_given_up(session)) return text::endpoint(c.virtual_address, session.service.port);
  return text::endpoint(c.virtual_address, c.virtual_port);
}

std::string server(const SessionView& session) {
  const ConnectionView& c = session.connection;
  return text::endpoint(c.destination, is_given_up(session) ? Port{} : c.destination_port);
}

std::string template_reason(const SessionView& session) {
  const std::string holds = fmt::format("{} connection{}", session.controlled, session.controlled == 1 ? "" : "s");
  if (is_given_up(session)) return "given up, since its server did not serve; " + holds;
  return fmt::format("persistent: {} stays here; {}", session.network, holds);
}

bool goes_past_all(const SessionView& session) {
  return session.connection.destination == Address::ipv4(0) && !session.connection.is_template;
}

std::string connection_reason(const SessionView& session) {
  if (goes_past_all(session)) return "past the servers by cache_bypass";
  if (!session.network.empty()) return "persistent: template of " + session.network;
  return "scheduled" + (session.scheduler.empty() ? "" : " by " + session.scheduler);
}

}  // namespace

std::string session_reason(const SessionView& session) {
  std::string reason = session.connection.is_template ? template_reason(session) : connection_reason(session);
  if (session.service.is_mark()) reason = fmt::format("mark {}, {}", session.service.mark.value, reason);
  if (session.scheduler.empty())
    reason += "; service " + text::name(session.service) + " is no more";
  else if (session.server_removed)
    reason += "; the server has been removed";
  return reason;
}

std::string sessions_header() { return text::row({"KIND", "CLIENT", "TO", "SERVER", "STATE", "LEFT", "WHY"}, kWidths); }

std::string session_line(const SessionView& session) {
  return text::row({kind(session), client(session), target(session), server(session), session.connection.state,
                    text::clock(session.connection.expires), session_reason(session)},
                   kWidths);
}

}  // namespace limpet
