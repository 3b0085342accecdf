// SPDX-License-Identifier: Apache-2.0
// `limpet status` and `limpet unload`.
#include "programs/limpet_daemon.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <system_error>
#include <thread>

#include "api/client.h"
#include "api/listener.h"
#include "api/status_json.h"
#include "director/claim.h"
#include "director/unload.h"

namespace limpet {
namespace {

constexpr std::chrono::seconds kUnloadDeadline{10};
constexpr std::chrono::milliseconds kLookAgain{20};

std::string share_of(const TableStatus& table) {
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

// The daemon takes everything out, answers, and ends: its socket goes last.
Result<void> unload_through_daemon(api::Client& client, const std::filesystem::path& run_directory) {
  if (auto unloaded = client.unload(); !unloaded) return unloaded;
  const auto socket = api::socket_path(run_directory);
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

}  // namespace

Result<void> show_status(const std::filesystem::path& run_directory, bool as_json) {
  auto client = api::Client::connect(run_directory);
  if (!client) return client.error();
  const auto status = client->status();
  if (!status) return status.error();
  if (as_json) {
    fmt::print("{}\n", api::status_to_json(*status).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_status(*status);
  }
  return {};
}

Result<void> unload(const std::filesystem::path& run_directory) {
  auto client = api::Client::connect(run_directory);
  if (!client && client.error().code != ErrorCode::not_running) return client.error();
  if (client) return unload_through_daemon(*client, run_directory);
  // A limpetd with another run directory must not lose the data plane under its feet.
  const auto claim = NamespaceClaim::take();
  if (!claim) return claim.error();
  return unload_leftovers(run_directory);
}

}  // namespace limpet
