// SPDX-License-Identifier: Apache-2.0
// Reads and writes /proc/sys; the record is a text file, a line a setting, fields separated by tabs.
#include "network/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

namespace limpet::network {
namespace {

constexpr std::string_view kAllForwarding = "net/ipv4/conf/all/forwarding";
constexpr std::string_view kHeader = "limpet sysctls 1";

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

// A record must not lead out of /proc/sys, whoever wrote it.
bool is_sane(const std::string& path) {
  if (path.empty() || path.front() == '/') return false;
  if (path.find_first_of("\t\n") != std::string::npos) return false;
  return ("/" + path + "/").find("/../") == std::string::npos;
}

std::string file_of(const std::string& path) { return "/proc/sys/" + path; }

Result<void> write_all(int descriptor, std::string_view bytes, const std::string& doing) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(doing, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

bool is_interface_forwarding(const std::string& path) {
  return path.starts_with("net/ipv4/conf/") && path.ends_with("/forwarding") && path != kAllForwarding;
}

// The value of `all` that goes with a setting; empty where there is none.
std::string all_for(const std::string& path) {
  if (!is_interface_forwarding(path)) return {};
  const auto all = read_sysctl(std::string(kAllForwarding));
  return all ? *all : std::string{};
}

std::string directory_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : file.substr(0, slash);
}

// After this the new contents survive a crash of the machine: file first, then its name, then the directory.
Result<void> replace_file(const std::string& file, const std::string& contents) {
  const std::string doing = "writing " + file;
  const std::string fresh = file + ".new";
  {
    const Descriptor out(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (out.get() < 0) return system_error(doing, errno);
    if (auto written = write_all(out.get(), contents, doing); !written) return written;
    if (::fsync(out.get()) != 0) return system_error(doing, errno);
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) return system_error(doing, errno);
  const Descriptor directory(::open(directory_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return system_error(doing, errno);
  return {};
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char letter : line) {
    if (letter == '\t') {
      fields.emplace_back();
    } else {
      fields.back() += letter;
    }
  }
  return fields;
}

}  // namespace

Result<std::string> read_sysctl(const std::string& path) {
  const std::string doing = "reading " + file_of(path);
  if (!is_sane(path)) return system_error(doing, EINVAL);
  const Descriptor in(::open(file_of(path).c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) return system_error(doing, errno);
  std::string text(4096, '\0');
  const ssize_t size = ::read(in.get(), text.data(), text.size());
  if (size < 0) return system_error(doing, errno);
  return trimmed(std::string_view(text).substr(0, static_cast<std::size_t>(size)));
}

Result<void> write_sysctl(const std::string& path, std::string_view value) {
  const std::string doing = "setting " + file_of(path) + " to " + std::string(value);
  if (!is_sane(path)) return system_error(doing, EINVAL);
  const Descriptor out(::open(file_of(path).c_str(), O_WRONLY | O_CLOEXEC));
  if (out.get() < 0) return system_error(doing, errno);
  return write_all(out.get(), value, doing);
}

bool sysctl_exists(const std::string& path) { return is_sane(path) && ::access(file_of(path).c_str(), F_OK) == 0; }

std::string forwarding_sysctl(const std::string& interface) { return "net/ipv4/conf/" + interface + "/forwarding"; }

Result<Sysctls> Sysctls::open(const std::string& state_file) {
  Sysctls sysctls(state_file);
  std::ifstream in(state_file);
  if (!in) {
    if (errno == ENOENT) return sysctls;
    return system_error("reading " + state_file, errno);
  }
  std::string line;
  const Error unreadable{ErrorCode::internal, state_file + " is not a record of kernel settings that limpet can read."};
  if (!std::getline(in, line) || line != kHeader) return unreadable;
  while (std::getline(in, line)) {
    const std::vector<std::string> fields = fields_of(line);
    if (fields.size() != 4 || !is_sane(fields[0])) return unreadable;
    sysctls.entries_.push_back({.path = fields[0], .original = fields[1], .ours = fields[2], .all = fields[3]});
  }
  return sysctls;
}

std::vector<Sysctls::Entry>::iterator Sysctls::find(const std::string& path) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.path == path; });
}

Result<void> Sysctls::save() const {
  std::ostringstream out;
  out << kHeader << '\n';
  for (const Entry& entry : entries_) {
    // A setting of several numbers separates them with tabs, which the kernel takes as blanks just as well.
    std::string original = entry.original;
    std::replace(original.begin(), original.end(), '\t', ' ');
    out << entry.path << '\t' << original << '\t' << entry.ours << '\t' << entry.all << '\n';
  }
  return replace_file(state_file_, out.str());
}

Result<void> Sysctls::set(const std::string& path, const std::string& value) {
  const auto current = read_sysctl(path);
  if (!current) return current.error();
  if (*current == value) return {};

  const std::vector<Entry> before = entries_;
  if (const auto known = find(path); known == entries_.end()) {
    entries_.push_back({.path = path, .original = *current, .ours = value, .all = all_for(path)});
  } else {
    // Changed by someone else since: what stands there now is what they will want back.
    if (*current != known->ours) known->original = *current;
    known->ours = value;
    known->all = all_for(path);
  }
  if (auto saved = save(); !saved) {
    entries_ = before;
    return saved;
  }
  return write_sysctl(path, value);
}

Result<void> Sysctls::put_back(const Entry& entry) {
  if (!sysctl_exists(entry.path)) return {};
  const auto current = read_sysctl(entry.path);
  if (!current) return current.error();
  if (*current != entry.ours || entry.all != all_for(entry.path)) return {};
  return write_sysctl(entry.path, entry.original);
}

Result<void> Sysctls::restore_one(const std::string& path) {
  const auto entry = find(path);
  if (entry == entries_.end()) return {};
  // The interface may go between the look and the write.
  if (auto restored = put_back(*entry); !restored && sysctl_exists(path)) return restored;
  entries_.erase(entry);
  return save();
}

Result<void> Sysctls::restore_all() {
  Result<void> outcome;
  for (const std::string& path : recorded()) {
    if (auto restored = restore_one(path); !restored && outcome) outcome = restored;
  }
  return outcome;
}

std::vector<std::string> Sysctls::recorded() const {
  std::vector<std::string> paths;
  for (const Entry& entry : entries_) paths.push_back(entry.path);
  return paths;
}

}  // namespace limpet::network
