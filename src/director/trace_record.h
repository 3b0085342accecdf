// SPDX-License-Identifier: Apache-2.0
// Which clsact qdiscs limpetd has added itself, on record in the run directory, so that `limpet unload` takes out those
// and no others, after a kill as well.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace limpet {

class QdiscRecord {
 public:
  explicit QdiscRecord(const std::filesystem::path& run_directory);

  void add(const std::string& interface);
  void remove(const std::string& interface);
  bool contains(const std::string& interface) const { return interfaces_.contains(interface); }
  const std::set<std::string>& interfaces() const { return interfaces_; }

 private:
  void save() const;

  std::filesystem::path path_;
  std::set<std::string> interfaces_;
};

// Where network::Sysctls keeps its originals.
std::filesystem::path sysctl_record(const std::filesystem::path& run_directory);

}  // namespace limpet
