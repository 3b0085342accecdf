// SPDX-License-Identifier: Apache-2.0
// The program's mode, attributes and ELF headers: without an interpreter (PT_INTERP) nobody reads LD_PRELOAD.
#include "programs/preloadable.h"

#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace limpet {
namespace {

bool can_be_run(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

constexpr unsigned char kOwnClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);

bool read_whole(int file, void* to, std::size_t size, off_t offset) {
  return ::pread(file, to, size, offset) == static_cast<ssize_t>(size);
}

bool is_static(int file, const Header& header) {
  if (header.e_phentsize != sizeof(Segment)) return false;
  std::vector<Segment> segments(header.e_phnum);
  if (!read_whole(file, segments.data(), segments.size() * sizeof(Segment), static_cast<off_t>(header.e_phoff)))
    return false;
  for (const Segment& each : segments) {
    if (each.p_type == PT_INTERP) return false;
  }
  return true;
}

// What its ELF headers say against it; a file without such headers is none of these.
const char* of_another_kind(int file) {
  Header header{};
  const bool is_elf = read_whole(file, &header, sizeof header, 0) && std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0;
  if (!is_elf) return nullptr;
  const auto bits = header.e_ident[EI_CLASS];
  if (bits != kOwnClass) return bits == ELFCLASS32 ? "is a 32-bit program" : "is a 64-bit program";
  return is_static(file, header) ? "is statically linked" : nullptr;
}

bool changes_user(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  const bool other_user = (status.st_mode & S_ISUID) != 0 && status.st_uid != ::getuid();
  const bool other_group = (status.st_mode & S_ISGID) != 0 && status.st_gid != ::getgid();
  return other_user || other_group;
}

// Root has them all anyway.
bool gains_capabilities(const std::string& path) {
  return ::getuid() != 0 && ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
}

}  // namespace

std::optional<std::string> find_program(const std::string& word) {
  if (word.find('/') != std::string::npos) return can_be_run(word) ? std::optional(word) : std::nullopt;
  const char* set = std::getenv("PATH");
  std::string_view directories = set != nullptr ? set : "/bin:/usr/bin";
  while (true) {
    const std::string_view directory = directories.substr(0, directories.find(':'));
    // An empty one is the current directory.
    const std::string path = (directory.empty() ? "." : std::string(directory)) + "/" + word;
    if (can_be_run(path)) return path;
    if (directory.size() == directories.size()) return std::nullopt;
    directories.remove_prefix(directory.size() + 1);
  }
}

const char* why_not_preloadable(const std::string& program) {
  if (const int file = ::open(program.c_str(), O_RDONLY | O_CLOEXEC); file >= 0) {
    const char* why = of_another_kind(file);
    ::close(file);
    if (why != nullptr) return why;
  }
  if (gains_capabilities(program)) return "has file capabilities";
  if (changes_user(program)) return "runs as another user or group";
  return nullptr;
}

}  // namespace limpet
