// SPDX-License-Identifier: Apache-2.0
// limpet: the command line for people; see what the director does and why, and take it out.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "api/client.h"
#include "programs/limpet_arguments.h"
#include "programs/limpet_daemon.h"
#include "programs/limpet_questions.h"

namespace {

using limpet::Error;
using limpet::ErrorCode;
using limpet::Result;

#ifndef LIMPET_VERSION
#define LIMPET_VERSION "0.1.0"
#endif

int fail(const Error& error) {
  fmt::print(stderr, "limpet: {}\n", error.text.empty() ? "limpetd refused without a reason" : error.text);
  return 1;
}

// What the command line asks for.
struct Words {
  std::filesystem::path run_directory = limpet::api::default_run_directory();
  bool as_json = false;
  limpet::SessionArguments sessions;
  limpet::ExplainArguments explain;
};

CLI::App* add_question(CLI::App& app, const char* name, const char* about, Words& words) {
  auto* subcommand = app.add_subcommand(name, about);
  subcommand->add_flag("--json", words.as_json, "As JSON");
  return subcommand;
}

// An unset variable of a script must not ask for everything.
std::string not_empty(const std::string& word) { return word.empty() ? "must not be empty" : ""; }

void add_sessions(CLI::App& app, Words& words) {
  auto* sessions =
      add_question(app, "sessions", "List connections and persistence templates, and why they are there", words);
  sessions->add_option("--client", words.sessions.client, "Only of this client, or of a network such as 10.1.0.0/24")
      ->type_name("ADDRESS[/PREFIX]")
      ->check(not_empty);
  sessions
      ->add_option("--service", words.sessions.service,
                   "Only of this service: 192.0.2.1:80 (TCP), udp:192.0.2.1:53, fwm:10; without a port: every port")
      ->type_name("SERVICE")
      ->check(not_empty);
  sessions->add_option("--server", words.sessions.server, "Only of this real server")
      ->type_name("ADDRESS[:PORT]")
      ->check(not_empty);
  sessions->footer("Several of these narrow together. --json prints an object a line.");
}

void add_explain(CLI::App& app, Words& words) {
  auto* explain = add_question(
      app, "explain", "Tell which server a client's next connection would get, and why; changes nothing", words);
  explain->add_option("CLIENT", words.explain.client, "Its address, with or without a port")
      ->required()
      ->type_name("ADDRESS[:PORT]");
  explain->add_option("VIP:PORT", words.explain.virtual_endpoint, "Virtual address and port")
      ->required()
      ->type_name("ADDRESS:PORT");
  explain->add_flag("--udp", words.explain.udp, "A datagram, not a TCP connection");
  explain->add_option("--mark", words.explain.mark, "The firewall mark that the host's rules would set")
      ->type_name("MARK")
      ->check(not_empty);
  explain->footer(
      "Examples:\n"
      "  limpet explain 10.1.0.1 192.0.2.1:443             the next connection from there\n"
      "  limpet explain 10.1.0.1:40000 192.0.2.1:443       the one from this very port, if it is there\n"
      "  limpet explain 10.1.0.1 192.0.2.1:443 --mark 10   with what iptables or nft would set");
}

Result<void> carry_out(const CLI::App& app, const Words& words) {
  if (app.got_subcommand("status")) return limpet::show_status(words.run_directory, words.as_json);
  if (app.got_subcommand("services")) return limpet::show_services(words.run_directory, words.as_json);
  if (app.got_subcommand("sessions")) return limpet::show_sessions(words.run_directory, words.sessions, words.as_json);
  if (app.got_subcommand("explain")) return limpet::show_explanation(words.run_directory, words.explain, words.as_json);
  return limpet::unload(words.run_directory);
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{
      "limpet shows what limpetd, the daemon of the Limpet virtual server, does and why.\n"
      "Services and real servers are configured with limpetadm, which takes ipvsadm's options.",
      "limpet"};
  app.set_version_flag("-V,--version", "limpet " LIMPET_VERSION);
  app.require_subcommand(0, 1);  // none: the help; so that a mistyped one is named
  Words words;
  app.add_option("--run-dir", words.run_directory, "The run directory of the daemon")->type_name("DIR");
  app.fallthrough();
  add_question(app, "status", "Show the daemon, its interfaces, tables and warnings", words);
  add_question(app, "services", "Show services and their servers, with connections and traffic", words);
  add_sessions(app, words);
  add_explain(app, words);
  app.add_subcommand("unload",
                     "End the daemon and take everything out of the kernel: programs, tables, rules, routes, devices");

  // Last, since subcommands would take it over.
  app.footer(
      "The daemon is looked for in /run/limpet, or in $LIMPET_RUN_DIR, or where --run-dir says.\n"
      "Examples:\n"
      "  limpet status                             is it running, where, how full are its tables?\n"
      "  limpet services                           services and servers with their connections and traffic\n"
      "  limpet sessions --client 10.1.0.0/24      who is where, and why there\n"
      "  limpet explain 10.1.0.1 192.0.2.1:443     where would this client go next?\n"
      "  limpet unload                             take Limpet out of the kernel; connections through it end");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    return app.exit(stop) == 0 ? 0 : 1;
  }
  if (app.get_subcommands().empty()) {
    fmt::print(stderr, "{}", app.help());
    return 1;
  }
  const auto outcome = carry_out(app, words);
  return outcome ? 0 : fail(outcome.error());
} catch (const std::exception& failure) {
  return fail({ErrorCode::internal, failure.what()});
}
