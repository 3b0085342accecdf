// SPDX-License-Identifier: Apache-2.0
// libFuzzer's entrance to the netlink server.
#include <cstddef>
#include <cstdint>

#include "fuzz/netlink_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  limpet::fuzz::answer_datagram({data, size});
  return 0;
}
