// SPDX-License-Identifier: Apache-2.0
// Taking out what a daemon has left in the kernel.
#include "director/unload.h"

#include <unistd.h>

#include <system_error>
#include <vector>

#include "dataplane/bpffs.h"
#include "director/doors.h"
#include "director/file_settings.h"
#include "director/neighbours.h"
#include "director/trace_record.h"
#include "network/mark_path.h"
#include "network/netlink.h"
#include "network/sysctl.h"

namespace limpet {
namespace {

Result<void> remove_pins(const std::filesystem::path& pins) {
  std::error_code error;
  if (!dataplane::is_bpffs(pins)) {
    std::filesystem::remove(pins, error);
    return {};
  }
  std::vector<std::filesystem::path> all;
  for (std::filesystem::directory_iterator entry(pins, error), end; !error && entry != end; entry.increment(error))
    all.push_back(entry->path());
  for (const auto& pin : all) ::unlink(pin.c_str());
  return dataplane::remove_bpffs(pins);
}

}  // namespace

Result<void> unload_leftovers(const std::filesystem::path& run_directory) {
  if (::geteuid() != 0) return Error{ErrorCode::permission, "only root can take the data plane out"};
  auto netlink = network::Netlink::open();
  if (!netlink) return netlink.error();
  auto sysctls = network::Sysctls::open(sysctl_record(run_directory).string());
  Result<void> first;
  const auto keep_first = [&first](const Result<void>& result) {
    if (!result && first) first = result;
  };
  if (!sysctls) {
    // A record that cannot be read is told, and must not keep everything else in the kernel.
    keep_first(sysctls.error());
    sysctls = network::Sysctls::open(sysctl_record(run_directory).string() + ".unreadable");
    if (!sysctls) return sysctls.error();
  }
  // Doors first, so that nothing new is sent to limpet0; then the way there; neighbours and pins last.
  const auto links = netlink->links();
  QdiscRecord qdiscs(run_directory);
  if (links)
    keep_first(close_all_doors(qdiscs, *links));
  else
    keep_first(links.error());
  network::MarkPath path(*netlink, *sysctls);
  keep_first(path.remove());
  keep_first(release_neighbours(*netlink));
  keep_first(sysctls->restore_all());
  keep_first(remove_pins(run_directory / "bpf"));
  std::error_code ignored;
  std::filesystem::remove(FileSettings::record(run_directory), ignored);
  return first;
}

}  // namespace limpet
