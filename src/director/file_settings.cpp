// SPDX-License-Identifier: Apache-2.0
// Settings that files ask for.
#include "director/file_settings.h"

#include <algorithm>
#include <fstream>
#include <system_error>

namespace limpet {
namespace {

// In the order of their names' first line, as files are read.
std::vector<FileSetting> last_of_each(const std::vector<FileSetting>& settings) {
  std::vector<FileSetting> last;
  for (const FileSetting& each : settings) {
    const auto same = std::find_if(last.begin(), last.end(),
                                   [&](const FileSetting& other) { return other.setting.name == each.setting.name; });
    if (same == last.end())
      last.push_back(each);
    else
      *same = each;
  }
  return last;
}

}  // namespace

std::filesystem::path FileSettings::record(const std::filesystem::path& run_directory) {
  return run_directory / "tunables";
}

FileSettings::FileSettings(const std::filesystem::path& run_directory) : path_(record(run_directory)) {
  std::ifstream file(path_);
  for (std::string line; std::getline(file, line);)
    if (const auto equals = line.find('='); equals != std::string::npos)
      before_.push_back({line.substr(0, equals), line.substr(equals + 1)});
}

std::vector<FileSetting> FileSettings::changed(const std::vector<FileSetting>& settings, bool all) const {
  auto changed = last_of_each(settings);
  if (!all)
    std::erase_if(changed, [this](const FileSetting& each) {
      return std::find(before_.begin(), before_.end(), each.setting) != before_.end();
    });
  return changed;
}

void FileSettings::remember(const std::vector<FileSetting>& settings) const {
  const std::filesystem::path fresh = path_.string() + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  for (const FileSetting& each : last_of_each(settings)) file << each.setting.name << '=' << each.setting.value << '\n';
  file.close();
  std::error_code ignored;
  std::filesystem::rename(fresh, path_, ignored);
}

}  // namespace limpet
