// SPDX-License-Identifier: Apache-2.0
// Questions to nf_tables over netlink: one request, its replies to a callback, the kernel's error as errno.
#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace limpet::network {

class NftSocket {
 public:
  using Build = std::function<void(nlmsghdr*)>;
  using Receive = std::function<void(const nlmsghdr*)>;

  /// Asks `type` (NFT_MSG_GET…) of `family` (NFPROTO_…). `flags`: NLM_F_DUMP for everything that matches, NLM_F_ACK
  /// for one object. `build` adds attributes and may be empty. Returns 0 or an errno value; after EINTR (the ruleset
  /// changed during a dump) what `receive` saw is incomplete.
  int request(std::uint16_t type, std::uint16_t family, std::uint16_t flags, const Build& build,
              const Receive& receive);

  /// A number that no other network namespace has, as long as the host runs; nothing before Linux 5.14.
  std::optional<std::uint64_t> namespace_cookie();

 private:
  struct Close {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
  };
  bool open();
  int exchange(const nlmsghdr* message, const Receive& receive);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
  std::vector<char> buffer_;
};

}  // namespace limpet::network
