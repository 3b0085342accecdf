// SPDX-License-Identifier: Apache-2.0
// The command first, then its options, then whether they fit each other: the order in which ipvsadm finds mistakes.
#include "ipvsadm/grammar.h"

#include <array>
#include <vector>

#include "ipvsadm/draft.h"
#include "ipvsadm/option_scanner.h"
#include "ipvsadm/options.h"
#include "ipvsadm/values.h"

namespace limpet::ipvsadm {
namespace {

using Parsed = std::variant<ParsedCommand, ParseFailure>;
using Status = OptionScanner::Status;

std::optional<CommandName> command_name(Token token) {
  switch (token) {
    case Token::add_service:
      return CommandName::add_service;
    case Token::edit_service:
      return CommandName::edit_service;
    case Token::delete_service:
      return CommandName::delete_service;
    case Token::clear:
      return CommandName::flush;
    case Token::list:
      return CommandName::list;
    case Token::zero:
      return CommandName::zero;
    case Token::add_server:
      return CommandName::add_server;
    case Token::edit_server:
      return CommandName::edit_server;
    case Token::delete_server:
      return CommandName::delete_server;
    case Token::set:
      return CommandName::set;
    case Token::start_daemon:
      return CommandName::start_daemon;
    case Token::stop_daemon:
      return CommandName::stop_daemon;
    case Token::restore:
      return CommandName::restore;
    case Token::save:
      return CommandName::save;
    default:
      return std::nullopt;
  }
}

Checked take_daemon_role(Draft& draft, CommandName command, const std::string& role) {
  draft.sync_daemon.role = role == "backup" ? SyncRole::backup : SyncRole::master;
  if (role == "master" || role == "backup") return std::nullopt;
  return fail(command == CommandName::start_daemon ? "illegal start-daemon parameter specified"
                                                   : "illegal start_daemon specified");
}

ParseFailure scan_failure(Status status, const std::string& word) {
  const char* reason = status == Status::missing_argument    ? "missing argument"
                       : status == Status::unwanted_argument ? "option does not take an argument"
                                                             : "unknown option";
  return {word + ": " + reason, 255, false};
}

// The three values of --set, which are arguments and no options.
std::variant<SetTimeouts, ParseFailure> timeouts(const std::vector<std::string>& words) {
  if (words.size() < 3) return fail("--set option requires 3 timeout values");
  std::array<std::uint32_t, 3> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto seconds = number(words[i], 0, kMaxTimeoutSeconds);
    if (!seconds) return fail("invalid timeout value `" + words[i] + "' specified");
    values[i] = static_cast<std::uint32_t>(*seconds);
  }
  return SetTimeouts{{values[0], values[1], values[2]}};
}

Parsed list(const Draft& draft) {
  const auto& options = draft.options;
  const bool counted = options.has(Option::stats) || options.has(Option::rate) || options.has(Option::thresholds);
  const bool global = options.has(Option::timeout) || options.has(Option::daemon);
  if (((options.has(Option::connection) || global) && counted) || (global && options.has(Option::persistent_conn))) {
    return fail("options conflicts in the list command");
  }
  if (options.has(Option::connection)) return ListConnections{draft.format};
  if (options.has(Option::service_address)) return ListServices{draft.key(), draft.format};
  if (options.has(Option::timeout)) return ListTimeouts{};
  if (options.has(Option::daemon)) return ListDaemons{};
  return ListServices{std::nullopt, draft.format};
}

Parsed service_command(CommandName command, Draft& draft) {
  if (auto failure = finish_service(draft)) return *failure;
  if (command == CommandName::add_service) return Command(AddService{draft.service});
  return Command(EditService{draft.service});
}

Parsed destination_command(CommandName command, Draft& draft) {
  if (auto failure = finish_destination(draft)) return *failure;
  if (command == CommandName::add_server) return Command(AddDestination{draft.key(), draft.destination});
  return Command(EditDestination{draft.key(), draft.destination});
}

Parsed finish(CommandName command, Draft& draft) {
  switch (command) {
    case CommandName::add_service:
    case CommandName::edit_service:
      return service_command(command, draft);
    case CommandName::delete_service:
      return Command(DeleteService{draft.key()});
    case CommandName::flush:
      return Command(Flush{});
    case CommandName::add_server:
    case CommandName::edit_server:
      return destination_command(command, draft);
    case CommandName::delete_server:
      return Command(DeleteDestination{draft.key(), draft.destination.key});
    case CommandName::zero: {
      if (!draft.options.has(Option::service_address)) return Command(Zero{});
      return Command(Zero{draft.key()});
    }
    case CommandName::start_daemon:
      return Command(StartSyncDaemon{draft.sync_daemon});
    case CommandName::stop_daemon:
      return Command(StopSyncDaemon{draft.sync_daemon.role});
    case CommandName::restore:
      return Restore{draft.options.has(Option::atomic)};
    case CommandName::save:
      return Save{draft.format.numeric};
    case CommandName::list:
    case CommandName::set:
      break;
  }
  return list(draft);
}

}  // namespace

ParseFailure try_help(const std::string& program) {
  return {"Try `" + program + " -h' or '" + program + " --help' for more information.", 255, true};
}

std::variant<ParsedCommand, ParseFailure> parse(const std::string& program, std::span<const std::string> words,
                                                const Names& names, const Dialect& dialect) {
  OptionScanner scanner(words, option_specs(dialect));
  if (scanner.next() != Status::option) return try_help(program);
  const auto first = static_cast<Token>(scanner.option().id);
  if (first == Token::help) return ShowHelp{};
  if (first == Token::version) return ShowVersion{};
  const auto command = command_name(first);
  if (!command) return try_help(program);
  Draft draft;
  if (*command == CommandName::start_daemon || *command == CommandName::stop_daemon) {
    if (auto failure = take_daemon_role(draft, *command, scanner.option().argument.value_or(""))) return *failure;
  }

  auto status = scanner.next();
  for (; status == Status::option; status = scanner.next()) {
    if (auto failure = take_option(draft, scanner.option(), scanner.word(), names)) return *failure;
  }
  if (status != Status::end) return scan_failure(status, scanner.word());

  const auto& rest = scanner.rest();
  const std::size_t expected = *command == CommandName::set ? 3 : 0;
  std::optional<SetTimeouts> set;
  if (*command == CommandName::set) {
    const auto values = timeouts(rest);
    if (const auto* failure = std::get_if<ParseFailure>(&values)) return *failure;
    set = std::get<SetTimeouts>(values);
  }
  if (rest.size() > expected) return fail("unexpected argument " + rest[expected]);
  if (auto failure = finish_scheduler_flags(draft)) return *failure;
  if (auto failure = check_options(*command, draft.options)) return *failure;
  if (set) return Command(*set);
  return finish(*command, draft);
}

}  // namespace limpet::ipvsadm
