// SPDX-License-Identifier: Apache-2.0
// Opening /proc/net/ip_vs and its siblings. Of a file that limpetd does not have, and without limpetd, they are not
// there.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "preload/limpetd.h"
#include "preload/next.h"

LIMPET_NEXT(open)
LIMPET_NEXT(open64)
LIMPET_NEXT(openat)
LIMPET_NEXT(openat64)
LIMPET_NEXT(fopen)
LIMPET_NEXT(fopen64)

namespace {

constexpr const char* kDirectories[] = {"/proc/net/", "/proc/self/net/", "/proc/thread-self/net/"};
constexpr const char* kFiles = "ip_vs";

// Its name in /proc/net; null: it is another file.
const char* name_of(const char* path) {
  if (path == nullptr || std::strncmp(path, "/proc/", 6) != 0) return nullptr;
  for (const char* directory : kDirectories) {
    const std::size_t length = std::strlen(directory);
    if (std::strncmp(path, directory, length) != 0) continue;
    return std::strncmp(path + length, kFiles, std::strlen(kFiles)) == 0 ? path + length : nullptr;
  }
  return nullptr;
}

int open_text(const char* name, int flags) {
  if ((flags & O_ACCMODE) != O_RDONLY) {
    errno = EACCES;
    return -1;
  }
  const int fd = limpet::preload::open_of_limpetd(name);
  if (fd < 0) {
    errno = errno == EACCES ? EACCES : ENOENT;
    return -1;
  }
  if ((flags & O_CLOEXEC) == 0) ::fcntl(fd, F_SETFD, 0);
  if ((flags & O_NONBLOCK) != 0) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

FILE* open_stream(const char* name, const char* mode) {
  const bool reads = mode[0] == 'r' && std::strchr(mode, '+') == nullptr;
  const int fd = open_text(name, (reads ? O_RDONLY : O_RDWR) | (std::strchr(mode, 'e') != nullptr ? O_CLOEXEC : 0));
  if (fd < 0) return nullptr;
  FILE* stream = ::fdopen(fd, mode);
  if (stream == nullptr) ::close(fd);
  return stream;
}

bool has_mode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

}  // namespace

// The mode is there only where a file may be made.
#define LIMPET_MODE(last)        \
  mode_t mode = 0;               \
  if (has_mode(last)) {          \
    va_list rest;                \
    va_start(rest, last);        \
    mode = va_arg(rest, mode_t); \
    va_end(rest);                \
  }

LIMPET_PUBLIC int open(const char* path, int flags, ...) {
  LIMPET_MODE(flags)
  const char* name = name_of(path);
  return name != nullptr ? open_text(name, flags) : open_next()(path, flags, mode);
}

LIMPET_PUBLIC int open64(const char* path, int flags, ...) {
  LIMPET_MODE(flags)
  const char* name = name_of(path);
  return name != nullptr ? open_text(name, flags) : open64_next()(path, flags, mode);
}

LIMPET_PUBLIC int openat(int directory, const char* path, int flags, ...) {
  LIMPET_MODE(flags)
  const char* name = name_of(path);
  return name != nullptr ? open_text(name, flags) : openat_next()(directory, path, flags, mode);
}

LIMPET_PUBLIC int openat64(int directory, const char* path, int flags, ...) {
  LIMPET_MODE(flags)
  const char* name = name_of(path);
  return name != nullptr ? open_text(name, flags) : openat64_next()(directory, path, flags, mode);
}

LIMPET_PUBLIC FILE* fopen(const char* path, const char* mode) {
  const char* name = name_of(path);
  return name != nullptr ? open_stream(name, mode) : fopen_next()(path, mode);
}

LIMPET_PUBLIC FILE* fopen64(const char* path, const char* mode) {
  const char* name = name_of(path);
  return name != nullptr ? open_stream(name, mode) : fopen64_next()(path, mode);
}

// What a fortified program calls (_FORTIFY_SOURCE) where it gives no mode and its flags are no constant.
// NOLINTBEGIN(readability-identifier-naming): they are libc's
extern "C" {
int __open_2(const char* path, int flags);
int __open64_2(const char* path, int flags);
int __openat_2(int directory, const char* path, int flags);
int __openat64_2(int directory, const char* path, int flags);
}
// NOLINTEND(readability-identifier-naming)
LIMPET_NEXT(__open_2)
LIMPET_NEXT(__open64_2)
LIMPET_NEXT(__openat_2)
LIMPET_NEXT(__openat64_2)

LIMPET_PUBLIC int __open_2(const char* path, int flags) {
  const char* name = name_of(path);
  return name != nullptr ? open_text(name, flags) : __open_2_next()(path, flags);
}

LIMPET_PUBLIC int __open64_2(const char* path, int flags) {
  const char* name = name_of(path);
  return name != nullptr ? open_text(name, flags) : __open64_2_next()(path, flags);
}

LIMPET_PUBLIC int __openat_2(int directory, const char* path, int flags) {
  const char* name = name_of(path);
  return name != nullptr ? open_text(name, flags) : __openat_2_next()(directory, path, flags);
}

LIMPET_PUBLIC int __openat64_2(int directory, const char* path, int flags) {
  const char* name = name_of(path);
  return name != nullptr ? open_text(name, flags) : __openat64_2_next()(directory, path, flags);
}
