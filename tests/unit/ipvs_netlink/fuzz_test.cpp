// SPDX-License-Identifier: Apache-2.0
// The target of tests/fuzz under a plain mutator, which starts from messages of every command.
#include "fuzz/netlink_target.h"

#include <random>

#include <gtest/gtest.h>

#include "unit/ipvs_netlink/messages.h"

namespace limpet::ipvs_netlink {
namespace {

std::vector<Bytes> every_command() {
  const auto service = of_service(whole_service());
  const auto server = of_service_and_server(service_name(), whole_server());
  const Pieces mark = with(without(whole_service(), IPVS_SVC_ATTR_ADDR), u32(IPVS_SVC_ATTR_FWMARK, 10));
  std::vector<Bytes> all;
  for (std::uint8_t command = 1; command <= IPVS_CMD_MAX; ++command) {
    for (const Fill& fill : {service, server, of_service(mark), of_daemon(whole_daemon())}) {
      all.push_back(request(command, fill));
      all.push_back(request(command, fill, kListed));
    }
  }
  all.push_back(request(IPVS_CMD_SET_CONFIG, u32(IPVS_CMD_ATTR_TIMEOUT_TCP, 600).write));
  all.push_back(request(CTRL_CMD_GETFAMILY, text(CTRL_ATTR_FAMILY_NAME, "IPVS").write, kAcknowledged, 7, GENL_ID_CTRL));
  return all;
}

class Mutator {
 public:
  Bytes next() {
    Bytes bytes;
    for (std::size_t count = 1 + below(3); count > 0; --count) {
      const Bytes& more = corpus_[below(corpus_.size())];
      bytes.insert(bytes.end(), more.begin(), more.end());
    }
    for (std::size_t count = below(6); count > 0; --count) mutate(bytes);
    return bytes;
  }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_); }
  void mutate(Bytes& bytes) {
    const auto at = below(bytes.size());
    const auto position = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<std::uint8_t>(below(256));
        break;
      case 1:
        bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << below(8)));
        break;
      case 2:  // lengths and types are small numbers
        bytes[at] = static_cast<std::uint8_t>(below(20));
        break;
      case 3:
        bytes.insert(position, below(9), static_cast<std::uint8_t>(below(256)));
        break;
      default:
        if (at > 0)
          bytes.erase(position, bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at + 1 + below(8), bytes.size())));
    }
  }

  std::vector<Bytes> corpus_ = every_command();
  std::mt19937_64 engine_{4};
};

TEST(NetlinkFuzz, no_datagram_crashes_or_changes_the_table_when_it_is_refused) {
  Mutator mutator;
  for (int i = 0; i < 5000; ++i) fuzz::answer_datagram(mutator.next());
}

}  // namespace
}  // namespace limpet::ipvs_netlink
