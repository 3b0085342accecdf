// SPDX-License-Identifier: Apache-2.0
// The sentences of `limpet what-if`.
#include "programs/limpet_what_if_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <variant>

#include "programs/limpet_text.h"

namespace limpet {
namespace {

std::string connections(std::uint64_t number) { return text::counted(number, "connection", "connections"); }
std::string clients(std::uint64_t number) { return text::counted(number, "persistent client", "persistent clients"); }
const char* s(std::uint64_t number) { return number == 1 ? "s" : ""; }  // "1 strands", "2 strand"

// "10.0.0.1:80", "10.0.0.1:80 or 10.0.0.2:80", "one of 12 servers: 10.0.0.1:80, 10.0.0.2:80, …"
std::string somewhere(const ServiceForesight& service) {
  const auto& targets = service.targets;
  const auto name = [](const DestinationKey& key) { return text::endpoint(key.address, key.port); };
  if (service.target_count == 1) return name(targets.front());
  if (service.target_count == 2) return name(targets[0]) + " or " + name(targets[1]);
  std::string names;
  for (const DestinationKey& key : targets) names += (names.empty() ? "" : ", ") + name(key);
  if (service.target_count > targets.size()) names += ", …";
  return fmt::format("one of {} servers: {}", service.target_count, names);
}

std::string head(const ServiceForesight& service) {
  const std::string name = text::name(service.service);
  if (!service.before && !service.after) return name + ", not there before nor after";
  if (!service.before) return fmt::format("{}, new: {}", name, text::scheduling(*service.after));
  if (!service.after) return name + ", removed";
  const std::string before = text::scheduling(*service.before);
  const std::string after = text::scheduling(*service.after);
  return before == after ? fmt::format("{}: {}", name, after) : fmt::format("{}: {} → {}", name, before, after);
}

std::string new_connections(const ServiceForesight& service) {
  if (!service.after) return service.before ? "new connections are not taken here any more" : "";
  if (service.target_count == 0) {
    if (service.targets_change) return "new connections are refused: no server has a weight above 0";
    return "new connections are refused, as before: no server has a weight above 0";
  }
  if (!service.targets_change) return "";
  return fmt::format("new connections go by {} to {}", service.after->scheduler, somewhere(service));
}

std::string percent(std::uint32_t part, std::uint32_t whole) {
  return fmt::format("{:.0f} %", 100.0 * part / std::max(1U, whole));
}

// Of what the scheduler hashes; connections that are open, and persistent clients, are not concerned.
std::string hash_note(const ServiceForesight& service) {
  if (!service.hash || (service.hash->moved == 0 && service.hash->refused == 0)) return "";
  const HashShares& hash = *service.hash;
  const char* what = hashed_by(*service.after) == Hashed::virtual_address ? "virtual addresses" : "clients";
  std::string text = fmt::format("new connections of {} of {} go to another server than before",
                                 percent(hash.moved, hash.buckets), what);
  if (hash.refused != 0)
    text += fmt::format(", of {} are refused: their server's weight is 0, and {} has no fallback",
                        percent(hash.refused, hash.buckets), service.after->scheduler);
  return text;
}

std::string server_change(const ServerForesight& server, bool service_goes) {
  if (!server.before && !server.after) return "removed before";
  if (!server.before) return fmt::format("added, weight {}", server.after->weight);
  if (!server.after) return service_goes ? "goes with its service" : "removed";
  const Destination& before = *server.before;
  const Destination& after = *server.after;
  std::string change;
  const auto add = [&](const std::string& what) { change += (change.empty() ? "" : ", ") + what; };
  if (before.weight != after.weight) add(fmt::format("weight {} → {}", before.weight, after.weight));
  if (before.method != after.method)
    add(fmt::format("{} → {} for new connections", text::name(before.method), text::name(after.method)));
  if (before.upper_threshold != after.upper_threshold || before.lower_threshold != after.lower_threshold)
    add(fmt::format("thresholds {}, {} → {}, {}", before.upper_threshold, before.lower_threshold, after.upper_threshold,
                    after.lower_threshold));
  return change.empty() ? "stays as it is" : change;
}

// ip_vs_conn.c, ip_vs_bind_dest() and ip_vs_unbind_dest(): from the upper threshold on, until it is below the lower
// one, or below three quarters of the upper one.
std::string threshold_note(const ServerForesight& server) {
  const std::uint64_t held = server.connections.go_on + server.connections.resume;
  if (!server.after || server.after->upper_threshold == 0 || held < server.after->upper_threshold) return "";
  const std::uint64_t lower = server.after->lower_threshold;
  const std::uint64_t upper = server.after->upper_threshold;
  return fmt::format("at its threshold of {}: only persistent clients come here until fewer than {} are left",
                     connections(upper), lower != 0 ? lower : upper - upper / 4);
}

std::string left(std::uint32_t seconds) { return text::duration(seconds); }

std::string note(const Command& command) {
  return std::visit(
      [](const auto& c) -> std::string {
        using C = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<C, SetTimeouts>) {
          return "Connections take the new timeouts with their next packet.";
        } else if constexpr (std::is_same_v<C, Zero>) {
          return "Counters and rates begin at 0 again.";
        } else if constexpr (std::is_same_v<C, AddService>) {
          if (!c.service.key.is_mark()) return "";
          return fmt::format(
              "What the host's rules mark {} asks this service first, whatever its address: the tables do not say "
              "which "
              "connections these are.",
              c.service.key.mark.value);
        } else {
          return "";
        }
      },
      command);
}

// Templates keep the time they were made with.
std::string persistence_note(const ServiceForesight& service) {
  if (!service.before || !service.after || !service.before->persistent || !service.after->persistent) return "";
  if (service.before->timeout == service.after->timeout) return "";
  return fmt::format("templates that are there keep their {}", text::duration(service.before->timeout));
}

std::string indented(const std::string& sentence, int depth) {
  return sentence.empty() ? "" : std::string(static_cast<std::size_t>(depth) * 2, ' ') + sentence + "\n";
}

}  // namespace

std::string WhatIfPage::line(const ForesightLine& line) {
  if (const auto* service = std::get_if<ServiceForesight>(&line)) return service_lines(*service);
  return server_lines(std::get<ServerForesight>(line));
}

std::string WhatIfPage::service_lines(const ServiceForesight& service) {
  service_ = service;
  std::string text = head(service) + "\n";
  text += indented(new_connections(service), 1);
  text += indented(hash_note(service), 1);
  text += indented(persistence_note(service), 1);
  for (const TakeOver& t : service.taken_over) {
    taken_over_ += t.connections;
    text += indented(fmt::format("{} {} of clients whose next ones {} would take", connections(t.connections),
                                 t.connections == 1 ? "is" : "are", text::name(t.by)),
                     1);
  }
  return text;
}

std::string WhatIfPage::server_lines(const ServerForesight& server) {
  const ConnectionFates& c = server.connections;
  const ClientFates& p = server.clients;
  connections_.strand += c.strand;
  connections_.resume += c.resume;
  connections_.end += c.end;
  connections_.move += c.move;
  clients_.move += p.move;
  clients_.wait += p.wait;
  clients_.resume += p.resume;

  const bool service_goes = !service_.after.has_value();
  const bool has_targets = service_.target_count != 0;
  const std::string to = has_targets ? fmt::format("to {}", somewhere(service_)) : "nowhere: no server would take them";
  std::string text = indented(
      text::endpoint(server.server.address, server.server.port) + ": " + server_change(server, service_goes), 1);
  const auto add = [&](std::uint64_t number, const std::string& sentence) {
    if (number != 0) text += indented(sentence, 2);
  };
  add(c.go_on, fmt::format("{} go{} on", connections(c.go_on), c.go_on == 1 ? "es" : ""));
  text += indented(threshold_note(server), 2);
  add(c.strand,
      fmt::format(
          "{} strand{}: packets are dropped silently until the {} is back, or the connection has timed out (the "
          "last in {})",
          connections(c.strand), s(c.strand), service_goes ? "service" : "server", left(server.connections_last)));
  add(c.end, fmt::format("{} end{}: the client is reset with its next packet", connections(c.end), s(c.end)));
  add(c.move, fmt::format("{} move{} with the next packet, {}", connections(c.move), s(c.move), to));
  add(c.resume, fmt::format("{} resume{}, stranded until now", connections(c.resume), s(c.resume)));
  add(p.stay, fmt::format("{} stay{}: new connections of theirs come here", clients(p.stay), s(p.stay)));
  add(p.move, fmt::format("{} move{} with the next connection, {}", clients(p.move), s(p.move), to));
  add(p.wait, fmt::format("{} wait{} for the service to come back (the last for {})", clients(p.wait), s(p.wait),
                          left(server.clients_last)));
  add(p.resume, fmt::format("{} come{} back here", clients(p.resume), s(p.resume)));
  return text;
}

std::string WhatIfPage::end(std::span<const Command> commands) const {
  std::string text;
  for (const Command& command : commands) {
    const std::string sentence = note(command);
    if (!sentence.empty() && text.find(sentence) == std::string::npos) text += sentence + "\n";
  }
  std::string sums;
  const auto add = [&](std::uint64_t number, const std::string& what) {
    if (number != 0) sums += (sums.empty() ? "" : ", ") + what;
  };
  add(connections_.strand, fmt::format("{} would strand", connections(connections_.strand)));
  add(connections_.end, fmt::format("{} would end", connections(connections_.end)));
  add(connections_.move, fmt::format("{} would move", connections(connections_.move)));
  add(connections_.resume, fmt::format("{} would resume", connections(connections_.resume)));
  add(clients_.move, fmt::format("{} would move", clients(clients_.move)));
  add(clients_.wait, fmt::format("{} would wait", clients(clients_.wait)));
  add(clients_.resume, fmt::format("{} would come back", clients(clients_.resume)));
  if (sums.empty()) sums = "no connection and no persistent client would move or strand";
  return text + "In all: " + sums + ".\nNothing has been changed.\n";
}

}  // namespace limpet
