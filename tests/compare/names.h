// SPDX-License-Identifier: Apache-2.0
// The only names there are, for both programs.
#pragma once

#include <cstdint>

namespace limpet::compare {

inline constexpr const char* kHostName = "www.example.net";
inline constexpr unsigned char kHostAddress[4] = {192, 0, 2, 1};

struct ServiceName {
  const char* name;
  const char* protocol;
  std::uint16_t port;
};
inline constexpr ServiceName kServiceNames[] = {{"http", "tcp", 80},
                                                {"https", "tcp", 443},
                                                {"domain", "udp", 53},
                                                {"sip", "udp", 5060},
                                                {"diameter", "sctp", 3868}};

}  // namespace limpet::compare
