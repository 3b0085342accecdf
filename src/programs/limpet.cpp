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
#include "programs/limpet_drain.h"
#include "programs/limpet_questions.h"
#include "programs/limpet_sysctl.h"
#include "programs/limpet_what_if.h"

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
  limpet::SysctlArguments sysctl;
  limpet::WhatIfArguments what_if;
  limpet::DrainArguments drain;
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

void add_sysctl(CLI::App& app, Words& words) {
  auto* sysctl = add_question(app, "sysctl", "Show or set the settings net.ipv4.vs.*, as sysctl(8) does", words);
  sysctl->add_option("NAME", words.sysctl.words, "Show this one; with =VALUE, set it. net.ipv4.vs: all of them")
      ->type_name("net.ipv4.vs.NAME[=VALUE]");
  sysctl->add_flag("-a,--all", words.sysctl.all, "Show all of them");
  sysctl->add_flag("-n,--values", words.sysctl.values_only, "Print values without names");
  sysctl->add_flag("-w,--write", words.sysctl.write, "Every word must be NAME=VALUE");
  sysctl->footer(
      "Examples:\n"
      "  limpet sysctl -a\n"
      "  limpet sysctl -w net.ipv4.vs.expire_nodest_conn=1");
}

void add_what_if(CLI::App& app, Words& words) {
  auto* what_if = add_question(
      app, "what-if", "Tell what a change would do to connections and persistent clients; changes nothing", words);
  what_if->add_option("--file", words.what_if.file, "Changes, one a line, as limpetadm -R reads them")
      ->type_name("RULES")
      ->check(not_empty);
  what_if
      ->add_option("CHANGE", words.what_if.words,
                   "Behind --: what limpetadm would be given; -R: from the standard input")
      ->type_name("");
  what_if->footer(
      "Examples:\n"
      "  limpet what-if -- -d -t 192.0.2.1:80 -r 10.0.0.1:80   who would lose what?\n"
      "  limpet what-if -- -E -t 192.0.2.1:80 -s wrr -p 600 -M 255.255.255.0\n"
      "  limpet what-if --file new.rules                       all of these together\n"
      "--json prints an object a line.");
}

void add_drain(CLI::App& app, Words& words) {
  auto* drain = app.add_subcommand("drain", "Set a real server's weight to 0 and wait until nothing is left on it");
  drain->add_option("SERVER", words.drain.server, "The real server")->required()->type_name("ADDRESS[:PORT]");
  drain->add_option("SERVICE", words.drain.services, "Only in these services; none: in every one that has it")
      ->type_name("SERVICE");
  drain
      ->add_option("--until", words.drain.until,
                   "connections: persistent clients may be left; persistence (unless given): nothing at all; "
                   "a time such as 10m: then give up, with exit code 3. May be given twice")
      ->type_name("LIMIT")
      ->allow_extra_args(false)
      ->check(not_empty);
  drain->footer(
      "The weight stays 0, also after Ctrl-C (exit code 130).\n"
      "Examples:\n"
      "  limpet drain 10.0.0.1                                         everywhere, until nothing is left\n"
      "  limpet drain 10.0.0.1:80 192.0.2.1:80 --until connections     persistent clients may come back\n"
      "  limpet drain 10.0.0.1 --until connections --until 10m         for ten minutes at most");
}

CLI::Option* add_run_directory(CLI::App& app, Words& words) {
  return app.add_option("--run-dir", words.run_directory, "The run directory of the daemon")->type_name("DIR");
}

CLI::App* add_run(CLI::App& app, Words& words) {
  auto* run = app.add_subcommand(
      "run", "Run a program that knows IPVS (ipvsadm, keepalived) with limpetd in the kernel's place");
  // What follows is the program's, whatever it looks like.
  run->prefix_command()->fallthrough(false);
  add_run_directory(*run, words);
  run->footer(
      "The program and its arguments follow: limpet run [--run-dir DIR] [--] PROGRAM [ARGUMENTS...]\n"
      "Examples:\n"
      "  limpet run ipvsadm -Ln\n"
      "  limpet run keepalived --dont-fork --log-console");
  return run;
}

Result<void> answer(const CLI::App& app, const Words& words) {
  if (app.got_subcommand("status")) return limpet::show_status(words.run_directory, words.as_json);
  if (app.got_subcommand("services")) return limpet::show_services(words.run_directory, words.as_json);
  if (app.got_subcommand("sessions")) return limpet::show_sessions(words.run_directory, words.sessions, words.as_json);
  if (app.got_subcommand("explain")) return limpet::show_explanation(words.run_directory, words.explain, words.as_json);
  if (app.got_subcommand("sysctl")) return limpet::run_sysctl(words.run_directory, words.sysctl, words.as_json);
  if (app.got_subcommand("what-if")) return limpet::show_what_if(words.run_directory, words.what_if, words.as_json);
  return limpet::unload(words.run_directory);
}

// The exit code; or what went wrong, which is 1.
Result<int> carry_out(const CLI::App& app, const Words& words) {
  if (app.got_subcommand("drain")) return limpet::drain(words.run_directory, words.drain);
  const auto answered = answer(app, words);
  if (!answered) return answered.error();
  return 0;
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
  add_run_directory(app, words);
  app.fallthrough();
  add_question(app, "status", "Show the daemon, its interfaces, tables and warnings", words);
  add_question(app, "services", "Show services and their servers, with connections and traffic", words);
  add_sessions(app, words);
  add_explain(app, words);
  add_sysctl(app, words);
  add_what_if(app, words);
  add_drain(app, words);
  const auto* run = add_run(app, words);
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
      "  limpet sysctl -a                          the settings net.ipv4.vs.*\n"
      "  limpet what-if -- -d -t VIP:80 -r 10.0.0.1   what would a change do, before it is done?\n"
      "  limpet drain 10.0.0.1                     quiesce a server and wait until it is empty\n"
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
  // What is right limpet_start.cpp has carried out.
  if (run->parsed())
    return fail({ErrorCode::bad_request,
                 run->remaining().empty() ? "run: no program is given" : "run: --run-dir: no directory is given"});
  const auto outcome = carry_out(app, words);
  return outcome ? *outcome : fail(outcome.error());
} catch (const std::exception& failure) {
  return fail({ErrorCode::internal, failure.what()});
}
