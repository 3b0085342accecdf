// SPDX-License-Identifier: Apache-2.0
// The sentences of `limpet explain`.
#include "programs/limpet_explain.h"

#include <fmt/format.h>

#include "programs/limpet_text.h"

namespace limpet {
namespace {

std::string who(const ExplainQuestion& question) {
  return question.client_port.value == 0 ? question.client.to_string()
                                         : endpoint_to_string(question.client, question.client_port);
}

std::string target(const ExplainQuestion& question) {
  return fmt::format("{} {}", question.protocol == Protocol::udp ? "udp" : "tcp",
                     endpoint_to_string(question.virtual_address, question.virtual_port));
}

std::string server_text(const ChosenServer& server) {
  return fmt::format("{} ({})", server.key.to_string(), text::name(server.method));
}

std::string outcome(const ExplainQuestion& question, const Explanation& explanation) {
  const std::string start = fmt::format("{} to {}", who(question), target(question));
  switch (explanation.outcome()) {
    case ExplainOutcome::dropped:
      return start + ": dropped";
    case ExplainOutcome::refused:
      return start + ": refused, with ICMP port unreachable";
    case ExplainOutcome::passed:
      return start + ": passed on to this host";
    case ExplainOutcome::forwarded:
      break;
  }
  return fmt::format("{}: goes to {}", start, explanation.server ? server_text(*explanation.server) : "a server");
}

std::string service_text(const Explanation& explanation) {
  if (!explanation.service) return "the service";
  return "service " + text::name(*explanation.service);
}

std::string connection_text(const Explanation& explanation) {
  std::string text =
      fmt::format("a connection is there ({}, {} left)", explanation.state, text::duration(explanation.expires));
  if (!explanation.network.empty()) text += ", of the template of " + explanation.network;
  return text;
}

std::string hashed_text(Hashed hashes) {
  switch (hashes) {
    case Hashed::virtual_address:
      return "a hash of the virtual address";
    case Hashed::client_address:
      return "a hash of the client's address";
    case Hashed::client_address_and_port:
      return "a hash of the client's address and port";
    case Hashed::nothing:
      break;
  }
  return "";
}

std::string scheduled_text(const Explanation& explanation) {
  const std::string by = fmt::format("by {} ({})", explanation.scheduler, service_text(explanation));
  if (explanation.hashes == Hashed::nothing) return "it is this server's turn " + by;
  return fmt::format("{} leads to this server {}", hashed_text(explanation.hashes), by);
}

std::string no_server_text(const Explanation& explanation) {
  if (explanation.hashes == Hashed::nothing)
    return service_text(explanation) + " has no server that takes new connections";
  return fmt::format("{} leads to no server that takes new connections by {} ({})", hashed_text(explanation.hashes),
                     explanation.scheduler, service_text(explanation));
}

std::string bypass_text(const Explanation& explanation) {
  if (!explanation.state.empty())
    return connection_text(explanation) + ", that cache_bypass has let go to the address it was sent to";
  return no_server_text(explanation) + ", and cache_bypass lets it go to the address it is sent to";
}

std::string reason(const ExplainQuestion& question, const Explanation& explanation) {
  switch (explanation.rule) {
    case ExplainRule::connection:
      return connection_text(explanation) + ": its packets stay with its server";
    case ExplainRule::removed_server:
      return connection_text(explanation) + ", but its server " +
             (explanation.server ? explanation.server->key.to_string() + " " : "") + "has been removed";
    case ExplainRule::source:
      return question.client.to_string() + " is no address that opens a connection";
    case ExplainRule::ftp_data:
      return "from port 20 (ftp-data) no connection is opened";
    case ExplainRule::no_service:
      return fmt::format("there is no service for {}{}", target(question),
                         question.mark.value == 0 ? "" : fmt::format(" nor for mark {}", question.mark.value));
    case ExplainRule::not_persistent:
      return service_text(explanation) + " is not persistent, and only persistent services take every port";
    case ExplainRule::not_local:
      return question.virtual_address.to_string() + " is no address of this host now";
    case ExplainRule::persistence:
      return fmt::format("the template of {} keeps it with this server, {} left ({})", explanation.network,
                         text::duration(explanation.expires), service_text(explanation));
    case ExplainRule::scheduler:
      return scheduled_text(explanation);
    case ExplainRule::hash:
      return fmt::format(
          "the table of connections has been full within the last minute, and a hash of addresses and ports chooses "
          "({})",
          service_text(explanation));
    case ExplainRule::drop_packet:
      return "the next packet that would open a connection is dropped: drop_packet is in force (limpet sysctl)";
    case ExplainRule::bypass:
      return bypass_text(explanation);
    case ExplainRule::no_server:
      break;
  }
  return no_server_text(explanation);
}

std::string way_text(const ChosenServer& server) {
  switch (server.way) {
    case WayToServer::unresolved:
      return "note: the server's neighbour entry is not resolved yet; the kernel does it with the first packet\n";
    case WayToServer::local:
      return "note: the server is this host itself\n";
    case WayToServer::unreachable:
      return "note: there is no route to the server " + server.key.to_string() + "\n";
    case WayToServer::ready:
      break;
  }
  return "";
}

std::string former_text(const Explanation& explanation) {
  const std::string server = explanation.former ? explanation.former->to_string() : "a server";
  std::string text;
  if (explanation.reused)
    text += "note: the connection that is there, with " + server + ", has ended; its port is used again\n";
  if (explanation.given_up)
    text += "note: there is a template for " + server + ", which does not serve any more; it will be given up\n";
  return text;
}

std::string weight_0_text(const Explanation& explanation) {
  if (explanation.rule == ExplainRule::persistence) {
    const bool keeps = explanation.server && explanation.server->weight == 0;
    return keeps ? "note: the server has weight 0: it keeps its persistent clients and gets no new ones\n" : "";
  }
  const bool was_scheduled = explanation.rule == ExplainRule::scheduler || explanation.rule == ExplainRule::hash ||
                             explanation.rule == ExplainRule::no_server || explanation.rule == ExplainRule::bypass;
  if (!was_scheduled || explanation.weight_0.empty()) return "";
  std::string skipped;
  for (const DestinationKey& key : explanation.weight_0)
    skipped += (skipped.empty() ? "" : ", ") + text::endpoint(key.address, key.port);
  // A scheduler that hashes may lead there all the same, and refuse.
  return (explanation.hashes == Hashed::nothing ? "skipped, for weight 0: " : "of weight 0: ") + skipped + "\n";
}

std::string netfilter_text(const ExplainQuestion& question, const Explanation& explanation) {
  if (!explanation.deferred) return "";
  const std::string text = "note: first packets go through this host's netfilter, which may drop them";
  if (question.mark.value != 0) return text + "\n";
  return text + ", or mark them: --mark says what it would set\n";
}

}  // namespace

std::string explanation_text(const ExplainQuestion& question, const Explanation& explanation) {
  std::string text = outcome(question, explanation) + "\n";
  text += "because " + reason(question, explanation) + "\n";
  if (explanation.server) text += way_text(*explanation.server);
  text += former_text(explanation);
  text += weight_0_text(explanation);
  const bool was_hashed = explanation.hashes == Hashed::client_address_and_port &&
                          (explanation.rule == ExplainRule::scheduler || explanation.rule == ExplainRule::no_server);
  if ((explanation.rule == ExplainRule::hash || was_hashed) && question.client_port.value == 0)
    text += "note: the hash needs the client's port; give it as " + question.client.to_string() + ":PORT\n";
  text += netfilter_text(question, explanation);
  return text;
}

}  // namespace limpet
