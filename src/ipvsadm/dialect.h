// SPDX-License-Identifier: Apache-2.0
// Whose manners a program has. Where ipvsadm is plainly wrong, limpetadm is right; under ipvsadm's names the bytes stay
// where a script could depend on them. docs/differences.md has each with its reason.
#pragma once

#include <string_view>

namespace limpet::ipvsadm {

struct Dialect {
  bool wrapping_order;    // listings are ordered by 32-bit differences, which wrap: 192.0.2.1 before 10.0.0.1
  bool signed_marks;      // 4294967295 is shown as -1, which no command line accepts
  bool saves_thresholds;  // -S prints -x and -y
  bool comments;          // -R skips lines that begin with '#'
  bool atomic_restore;    // there is -R --atomic
  std::string_view version;
};

inline constexpr Dialect kLimpetadm{.wrapping_order = false,
                                    .signed_marks = false,
                                    .saves_thresholds = true,
                                    .comments = true,
                                    .atomic_restore = true,
                                    .version = "v" LIMPET_VERSION " (IPVS v1.2.1 semantics)"};
// Scripts read the second word of -v.
inline constexpr Dialect kIpvsadm{.wrapping_order = true,
                                  .signed_marks = true,
                                  .saves_thresholds = false,
                                  .comments = false,
                                  .atomic_restore = false,
                                  .version = "v1.31 (limpetadm v" LIMPET_VERSION ", IPVS v1.2.1 semantics)"};

}  // namespace limpet::ipvsadm
