// SPDX-License-Identifier: Apache-2.0
// Messages with NLM_F_MULTI, packed into datagrams.
#include "ipvs_netlink/dump.h"

#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <functional>
#include <utility>

#include "ipvs_netlink/objects.h"
#include "ipvs_netlink/protocol.h"

namespace limpet::ipvs_netlink {
namespace {

// The kernel's least (NLMSG_GOODSIZE): it fits the buffers of programs that do not look before they read.
constexpr std::size_t kRoom = 3776;

class Messages : public Dump {
 public:
  // Writes the content of one message after the other; false: there was none left.
  using Write = std::function<bool(Writer&)>;
  Messages(Origin origin, std::uint8_t command, Write write)
      : origin_(origin), command_(command), write_(std::move(write)) {}

  std::optional<Bytes> next() override {
    if (ended_ && left_over_.empty()) return std::nullopt;
    Writer datagram;
    datagram.reserve(kRoom);
    datagram.append(std::exchange(left_over_, {}));
    while (!ended_) {
      const Writer::Mark behind = datagram.size();
      write_message(datagram);
      if (behind != 0 && datagram.size() > kRoom) {
        left_over_ = datagram.cut(behind);
        break;
      }
    }
    return datagram.take();
  }

 private:
  void write_message(Writer& to) {
    auto message =
        to.begin_generic(LIMPET_IPVS_FAMILY, NLM_F_MULTI, origin_.sequence, origin_.port, command_, IPVS_GENL_VERSION);
    if (!write_(to)) {
      ended_ = true;
      const std::uint32_t no_error = 0;
      to.cut(message);
      message = to.begin_message(NLMSG_DONE, NLM_F_MULTI, origin_.sequence, origin_.port);
      to.append({reinterpret_cast<const std::uint8_t*>(&no_error), sizeof no_error});
    }
    to.end_message(message);
  }

  Origin origin_;
  std::uint8_t command_;
  Write write_;
  Bytes left_over_;  // of the last round: did not fit
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Dump> dump_services(Director& director, Origin origin) {
  std::shared_ptr<ServiceCursor> cursor = director.services();
  return std::make_unique<Messages>(origin, IPVS_CMD_NEW_SERVICE, [cursor](Writer& to) {
    const auto view = cursor->next();
    if (view) write_service(to, *view);
    return view.has_value();
  });
}

std::unique_ptr<Dump> dump_destinations(std::optional<ServiceView> service, Origin origin) {
  std::vector<DestinationView> views;
  if (service) views = std::move(service->destinations);
  return std::make_unique<Messages>(origin, IPVS_CMD_NEW_DEST,
                                    [views = std::move(views), position = std::size_t{0}](Writer& to) mutable {
                                      if (position == views.size()) return false;
                                      write_destination(to, views[position++]);
                                      return true;
                                    });
}

std::unique_ptr<Dump> dump_daemons(std::vector<SyncDaemon> daemons, Origin origin) {
  return std::make_unique<Messages>(origin, IPVS_CMD_NEW_DAEMON,
                                    [daemons = std::move(daemons), position = std::size_t{0}](Writer& to) mutable {
                                      if (position == daemons.size()) return false;
                                      write_daemon(to, daemons[position++]);
                                      return true;
                                    });
}

}  // namespace limpet::ipvs_netlink
