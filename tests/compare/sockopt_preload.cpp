// SPDX-License-Identifier: Apache-2.0
// Preloaded into the distribution's ipvsadm: a kernel with IPVS that takes every change and lists nothing. ipvsadm
// reads its command line only after it has reached one. What it would have set is written, in hex, to descriptor 9.
//
// Nothing of this touches the machine: netlink is refused, so that ipvsadm falls back to socket options, and those
// end here. Names come from a table, so that no test asks a name server.
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "compare/names.h"

namespace {

// linux/ip_vs.h; the raw socket's options.
constexpr int kBase = 1024 + 64 + 64;
constexpr int kGetInfo = kBase + 1;
constexpr unsigned kVersion = 0x010201;
constexpr int kReport = 9;

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

void report(int option, const void* value, socklen_t length) {
  std::string text = std::to_string(option - kBase) + " ";
  const auto* bytes = static_cast<const unsigned char*>(value);
  for (socklen_t i = 0; i < length; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", bytes[i]);
    text += digits;
  }
  text += '\n';
  if (::write(kReport, text.data(), text.size()) < 0) ::_exit(99);
}

}  // namespace

extern "C" {

int socket(int domain, int type, int protocol) {
  if (domain == AF_NETLINK) {
    errno = EAFNOSUPPORT;
    return -1;
  }
  // A raw socket would need a privilege; any descriptor will do.
  if (domain == AF_INET && (type & 0xf) == SOCK_RAW) return real<int(int, int, int)>("socket")(AF_UNIX, SOCK_DGRAM, 0);
  return real<int(int, int, int)>("socket")(domain, type, protocol);
}

int getsockopt(int fd, int level, int option, void* value, socklen_t* length) {
  if (level != IPPROTO_IP || option < kBase) {
    return real<int(int, int, int, void*, socklen_t*)>("getsockopt")(fd, level, option, value, length);
  }
  if (option == kGetInfo && *length >= 3 * sizeof(unsigned)) {
    const unsigned info[3] = {kVersion, 4096, 0};  // version, size of the table, services
    std::memcpy(value, info, sizeof info);
    return 0;
  }
  errno = EPERM;
  return -1;
}

int setsockopt(int fd, int level, int option, const void* value, socklen_t length) {
  if (level != IPPROTO_IP || option < kBase) {
    return real<int(int, int, int, const void*, socklen_t)>("setsockopt")(fd, level, option, value, length);
  }
  report(option, value, length);
  return 0;
}

hostent* gethostbyname(const char* name) {
  static char address[4];
  static char* addresses[] = {address, nullptr};
  static hostent host{};
  if (std::strcmp(name, limpet::compare::kHostName) != 0) return nullptr;
  std::memcpy(address, limpet::compare::kHostAddress, sizeof address);
  host.h_addrtype = AF_INET;
  host.h_length = sizeof address;
  host.h_addr_list = addresses;
  return &host;
}

servent* getservbyname(const char* name, const char* protocol) {
  static servent service{};
  for (const auto& each : limpet::compare::kServiceNames) {
    if (std::strcmp(each.name, name) != 0 || std::strcmp(each.protocol, protocol) != 0) continue;
    service.s_port = htons(each.port);
    return &service;
  }
  return nullptr;
}

}  // extern "C"
