// SPDX-License-Identifier: Apache-2.0
// The right to drive this network namespace's data plane: one process at a time has it, whatever its run directory.
#pragma once

#include <utility>

#include "model/result.h"

namespace limpet {

class NamespaceClaim {
 public:
  // Held as long as the object, or until the process ends in whatever way. Errors: internal (another has it, or no
  // socket could be made).
  static Result<NamespaceClaim> take();

  NamespaceClaim(NamespaceClaim&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  NamespaceClaim& operator=(NamespaceClaim&&) = delete;
  ~NamespaceClaim();

 private:
  explicit NamespaceClaim(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace limpet
