// SPDX-License-Identifier: Apache-2.0
// limpet: the command line for people; see how the director does, and take it out.
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "api/client.h"
#include "api/listener.h"
#include "api/status_json.h"
#include "director/claim.h"
#include "director/unload.h"

namespace {

using limpet::Error;
using limpet::ErrorCode;
using limpet::Result;
using limpet::Status;

#ifndef LIMPET_VERSION
#define LIMPET_VERSION "0.1.0"
#endif

constexpr std::chrono::seconds kUnloadDeadline{10};
constexpr std::chrono::milliseconds kLookAgain{20};

int fail(const Error& error) {
  fmt::print(stderr, "limpet: {}\n", error.text.empty() ? "limpetd refused without a reason" : error.text);
  return 1;
}

std::string share_of(const limpet::TableStatus& table) {
  if (table.ceiling == 0) return "";
  return fmt::format("  {:.1f} %", 100.0 * static_cast<double>(table.entries) / static_cast<double>(table.ceiling));
}

void print_status(const Status& status) {
  fmt::print("limpetd {}, data plane ABI {}, network namespace {}\n", status.version, status.abi,
             status.network_namespace);
  fmt::print("\nInterfaces{}\n", status.doors.empty() ? ": none" : "");
  for (const auto& door : status.doors) fmt::print("  {:<16} {:<5} {}\n", door.interface, door.door, door.reason);
  fmt::print("\nTables{}\n", status.tables.empty() ? ": none" : "");
  for (const auto& table : status.tables) {
    fmt::print("  {:<16} {:>10} of {:<10}{}\n", table.name, table.entries, table.ceiling, share_of(table));
  }
  fmt::print("\nLast sweep over all tables: {} ms; ended entries were found up to {} ms late\n", status.sweep_pass_ms,
             status.sweep_lag_ms);
  if (!status.warnings.empty()) fmt::print("\nWarnings\n");
  for (const auto& warning : status.warnings) fmt::print("  - {}\n", warning);
}

int show_status(const std::filesystem::path& run_directory, bool as_json) {
  auto client = limpet::api::Client::connect(run_directory);
  if (!client) return fail(client.error());
  const auto status = client->status();
  if (!status) return fail(status.error());
  if (as_json) {
    fmt::print("{}\n",
               limpet::api::status_to_json(*status).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_status(*status);
  }
  return 0;
}

// The daemon takes everything out, answers, and ends: its socket goes last.
Result<void> unload_through_daemon(limpet::api::Client& client, const std::filesystem::path& run_directory) {
  if (auto unloaded = client.unload(); !unloaded) return unloaded;
  const auto socket = limpet::api::socket_path(run_directory);
  const auto deadline = std::chrono::steady_clock::now() + kUnloadDeadline;
  std::error_code ignored;
  while (std::filesystem::exists(socket, ignored)) {
    if (std::chrono::steady_clock::now() > deadline) {
      return Error{ErrorCode::internal,
                   fmt::format("limpetd took everything out but has not ended within {} s ({} is still there): look at "
                               "its log and end it",
                               kUnloadDeadline.count(), socket.native())};
    }
    std::this_thread::sleep_for(kLookAgain);
  }
  return {};
}

int unload(const std::filesystem::path& run_directory) {
  auto client = limpet::api::Client::connect(run_directory);
  if (!client && client.error().code != ErrorCode::not_running) return fail(client.error());
  if (client) {
    const auto outcome = unload_through_daemon(*client, run_directory);
    return outcome ? 0 : fail(outcome.error());
  }
  // A limpetd with another run directory must not lose the data plane under its feet.
  const auto claim = limpet::NamespaceClaim::take();
  if (!claim) return fail(claim.error());
  const auto outcome = limpet::unload_leftovers(run_directory);
  return outcome ? 0 : fail(outcome.error());
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{
      "limpet looks after limpetd, the daemon of the Limpet virtual server.\n"
      "Services and real servers are configured with limpetadm, which takes ipvsadm's options.",
      "limpet"};
  app.set_version_flag("-V,--version", "limpet " LIMPET_VERSION);
  app.require_subcommand(0, 1);  // none: the help; so that a mistyped one is named
  app.footer(
      "The daemon is looked for in /run/limpet, or in $LIMPET_RUN_DIR, or where --run-dir says.\n"
      "Examples:\n"
      "  limpet status          is it running, on which interfaces, how full are its tables?\n"
      "  limpet status --json   the same for programs\n"
      "  limpet unload          take Limpet out of the kernel; established connections through it end");

  std::filesystem::path run_directory = limpet::api::default_run_directory();
  app.add_option("--run-dir", run_directory, "The run directory of the daemon")->type_name("DIR");
  app.fallthrough();

  auto* status = app.add_subcommand("status", "Show the daemon, its interfaces, tables and warnings");
  bool as_json = false;
  status->add_flag("--json", as_json, "As JSON");
  auto* unloading = app.add_subcommand(
      "unload", "End the daemon and take everything out of the kernel: programs, tables, rules, routes, devices");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    return app.exit(stop) == 0 ? 0 : 1;
  }
  if (*status) return show_status(run_directory, as_json);
  if (*unloading) return unload(run_directory);
  fmt::print(stderr, "{}", app.help());
  return 1;
} catch (const std::exception& failure) {
  return fail({ErrorCode::internal, failure.what()});
}
