// SPDX-License-Identifier: Apache-2.0
// What files ask for of net.ipv4.vs.*, and what they asked for when it was last put in force: so that a restart changes
// only what has been changed in them, and a setting made by hand outlives it.
#pragma once

#include <filesystem>
#include <vector>

#include "director/options.h"

namespace limpet {

class FileSettings {
 public:
  explicit FileSettings(const std::filesystem::path& run_directory);

  // The last one of each name, if it is new since remember(). `all`: whether it is or not.
  std::vector<FileSetting> changed(const std::vector<FileSetting>& settings, bool all) const;
  // Writes them down; a record that cannot be written is put in force again by the next start.
  void remember(const std::vector<FileSetting>& settings) const;

  static std::filesystem::path record(const std::filesystem::path& run_directory);

 private:
  std::filesystem::path path_;
  std::vector<Setting> before_;
};

}  // namespace limpet
