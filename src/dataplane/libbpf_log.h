// SPDX-License-Identifier: Apache-2.0
// Catches what libbpf says while it loads, so that the reason of a refusal reaches the error and not the terminal.
#pragma once

#include <bpf/libbpf.h>

#include <cstdarg>
#include <string>

namespace limpet::dataplane {

class LibbpfLog {
 public:
  LibbpfLog();
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  std::string last_line() const;  // of warnings, without the line's end

 private:
  static int take(libbpf_print_level level, const char* format, std::va_list arguments);
  libbpf_print_fn_t former_;
};

}  // namespace limpet::dataplane
