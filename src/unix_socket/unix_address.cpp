// SPDX-License-Identifier: Apache-2.0
#include "unix_socket/unix_address.h"

#include <sys/socket.h>

#include <algorithm>
#include <string>

namespace limpet {

Result<sockaddr_un> unix_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::invalid, "the path " + text + " is too long for a unix socket (107 bytes)"};
  }
  std::copy(text.begin(), text.end(), address.sun_path);
  return address;
}

}  // namespace limpet
