// SPDX-License-Identifier: Apache-2.0
// Catches what libbpf says while it loads.
#include "dataplane/libbpf_log.h"

#include <cstdio>

namespace limpet::dataplane {
namespace {

// libbpf's hook has no argument of ours; loading happens on one thread.
std::string& text() {
  static std::string warnings;
  return warnings;
}

}  // namespace

LibbpfLog::LibbpfLog() : former_(libbpf_set_print(&LibbpfLog::take)) { text().clear(); }

LibbpfLog::~LibbpfLog() { libbpf_set_print(former_); }

int LibbpfLog::take(libbpf_print_level level, const char* format, std::va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char line[1024];
  std::vsnprintf(line, sizeof(line), format, arguments);
  text() += line;
  return 0;
}

std::string LibbpfLog::last_line() const {
  std::string all = text();
  while (!all.empty() && all.back() == '\n') all.pop_back();
  const auto start = all.rfind('\n');
  return start == std::string::npos ? all : all.substr(start + 1);
}

}  // namespace limpet::dataplane
