// SPDX-License-Identifier: Apache-2.0
// Reaching the daemon.
#pragma once

#include <errno.h>
#include <time.h>

namespace limpet::preload {

// SO_COOKIE or SO_NETNS_COOKIE of a socket; 0: it has none.
using Cookie = unsigned long long;
Cookie cookie_of(int fd, int option);

// A connection to limpetd's socket in $LIMPET_RUN_DIR, /run/limpet if that is not set; -1 and errno: nobody listens
// there, or this process may not.
int connect_to_limpetd();

// Where limpetd is being started again: until `connect` succeeds, for 2 seconds. False and errno.
template <class Connect>
bool connect_again(Connect connect) {
  constexpr int kTries = 100;
  constexpr timespec kPause{0, 20'000'000};
  for (int i = 0; i < kTries; ++i) {
    if (connect()) return true;
    if (errno != ECONNREFUSED && errno != ENOENT) return false;
    ::nanosleep(&kPause, nullptr);
  }
  return false;
}

// The read end of a pipe with what the kernel would have in /proc/net/NAME; -1 and errno.
int open_of_limpetd(const char* name);

}  // namespace limpet::preload
