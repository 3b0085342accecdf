// SPDX-License-Identifier: Apache-2.0
// The host's sysctl files.
#include "programs/sysctl_files.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>

namespace limpet {
namespace {

constexpr const char* kDirectories[] = {"etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d",
                                        "lib/sysctl.d"};

// A link to /dev/null is how an administrator hides a file of the distribution: it is there, and has no lines.
void add_file(const std::filesystem::path& path, std::vector<FileSetting>& settings) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  const auto lines = read_sysctl_text(text.str(), path.string());
  settings.insert(settings.end(), lines.begin(), lines.end());
}

}  // namespace

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\f\v";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

std::string tunable_name(std::string_view key) {
  std::string name(key);
  std::replace(name.begin(), name.end(), '/', '.');
  return name.starts_with(kTunablePrefix) ? name.substr(kTunablePrefix.size()) : "";
}

std::vector<FileSetting> read_sysctl_text(std::string_view text, const std::string& file) {
  std::vector<FileSetting> settings;
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = without_blanks(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    const std::size_t equals = line.find('=');
    if (line.starts_with('#') || line.starts_with(';') || equals == std::string_view::npos) continue;
    const bool may_fail = line.starts_with('-');
    const std::string name = tunable_name(without_blanks(line.substr(may_fail ? 1 : 0, equals - (may_fail ? 1 : 0))));
    if (name.empty()) continue;
    settings.push_back(
        {{name, std::string(without_blanks(line.substr(equals + 1)))}, file + ":" + std::to_string(number), may_fail});
  }
  return settings;
}

std::vector<FileSetting> read_sysctl_files(const std::filesystem::path& root) {
  std::map<std::string, std::filesystem::path> by_name;
  for (const char* directory : kDirectories) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(root / directory, error), end; !error && entry != end;
         entry.increment(error))
      if (entry->path().extension() == ".conf") by_name.emplace(entry->path().filename(), entry->path());
  }
  std::vector<FileSetting> settings;
  for (const auto& [name, path] : by_name) add_file(path, settings);
  add_file(root / "etc/sysctl.conf", settings);
  return settings;
}

}  // namespace limpet
