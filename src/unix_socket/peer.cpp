// SPDX-License-Identifier: Apache-2.0
// SO_PEERCRED and SO_PEERGROUPS against root, this user and the group.
#include "unix_socket/peer.h"

#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

namespace limpet {

std::optional<gid_t> limpet_group() {
  group entry{};
  group* found = nullptr;
  std::array<char, 16384> strings;
  if (::getgrnam_r("limpet", &entry, strings.data(), strings.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return found->gr_gid;
}

bool peer_is_allowed(int connection, std::optional<gid_t> group) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  if (peer.uid == 0 || peer.uid == ::geteuid()) return true;
  if (!group) return false;
  if (peer.gid == *group) return true;
  std::vector<gid_t> groups(65536 / sizeof(gid_t));
  length = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) != 0) return false;
  groups.resize(length / sizeof(gid_t));
  return std::find(groups.begin(), groups.end(), *group) != groups.end();
}

}  // namespace limpet
