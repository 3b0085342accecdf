// SPDX-License-Identifier: Apache-2.0
// Kernel settings below /proc/sys that limpet changes, with a written record of what stood there before.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/result.h"

namespace limpet::network {

// Paths are relative to /proc/sys and separated by slashes, "net/ipv4/conf/eth0.100/forwarding": a dot in an
// interface's name is just a dot. Values are compared and kept without surrounding white space.
Result<std::string> read_sysctl(const std::string& path);
Result<void> write_sysctl(const std::string& path, std::string_view value);
// False also for a setting whose interface is gone.
bool sysctl_exists(const std::string& path);
std::string forwarding_sysctl(const std::string& interface);  // net/ipv4/conf/INTERFACE/forwarding

// The record is on disk before the setting is touched, so that another process can put everything back after this one
// was killed. Keep the file where a reboot empties it (below /run): a reboot puts the settings back itself.
class Sysctls {
 public:
  // An absent file is an empty record. A line that cannot be read is an error: guessing would lose an original.
  static Result<Sysctls> open(const std::string& state_file);

  // Records what stands there the first time, then writes. A setting that already has the value is not touched and not
  // recorded.
  Result<void> set(const std::string& path, const std::string& value);
  // Puts the original back and forgets it, unless someone else has changed the setting since. A setting that no
  // longer exists, or was never recorded, is success.
  Result<void> restore_one(const std::string& path);
  // All of them, even when one fails; the first failure is returned, and what failed stays recorded.
  Result<void> restore_all();
  std::vector<std::string> recorded() const;

 private:
  struct Entry {
    std::string path;
    std::string original;
    std::string ours;
    // An interface's forwarding is overwritten by each write to conf/all/forwarding (ip_forward): `all` at the time of
    // recording, empty for other settings.
    std::string all;
  };

  explicit Sysctls(std::string state_file) : state_file_(std::move(state_file)) {}
  std::vector<Entry>::iterator find(const std::string& path);
  Result<void> save() const;
  static Result<void> put_back(const Entry& entry);

  std::string state_file_;
  std::vector<Entry> entries_;  // in the order of their recording
};

}  // namespace limpet::network
