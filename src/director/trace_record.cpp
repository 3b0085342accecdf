// SPDX-License-Identifier: Apache-2.0
// Which clsact qdiscs limpetd has added itself.
#include "director/trace_record.h"

#include <fstream>
#include <system_error>

namespace limpet {

std::filesystem::path sysctl_record(const std::filesystem::path& run_directory) { return run_directory / "sysctls"; }

QdiscRecord::QdiscRecord(const std::filesystem::path& run_directory) : path_(run_directory / "qdiscs") {
  std::ifstream file(path_);
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) interfaces_.insert(line);
}

void QdiscRecord::add(const std::string& interface) {
  if (interfaces_.insert(interface).second) save();
}

void QdiscRecord::remove(const std::string& interface) {
  if (interfaces_.erase(interface) != 0) save();
}

void QdiscRecord::save() const {
  std::error_code ignored;
  if (interfaces_.empty()) {
    std::filesystem::remove(path_, ignored);
    return;
  }
  const std::filesystem::path fresh = path_.string() + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  for (const std::string& name : interfaces_) file << name << '\n';
  file.close();
  // One that could not be written whole would make us forget qdiscs that the former one knows.
  if (file)
    std::filesystem::rename(fresh, path_, ignored);
  else
    std::filesystem::remove(fresh, ignored);
}

}  // namespace limpet
