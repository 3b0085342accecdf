// SPDX-License-Identifier: Apache-2.0
// The doors at the interfaces.
#include "director/doors.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/attach.h"

namespace limpet {

using dataplane::Hook;

bool Doors::is_wanted(const network::DoorLink& link) const {
  const auto& names = options_.interfaces;
  return names.empty() || std::find(names.begin(), names.end(), link.name) != names.end();
}

void Doors::refresh(const std::vector<network::Link>& links) {
  std::map<std::string, Door> now;
  for (const network::DoorLink& link : network::door_links(links)) {
    if (!is_wanted(link)) continue;
    Door door = open(link);
    const auto before = doors_.find(link.name);
    if (before == doors_.end() || before->second.status.door != door.status.door ||
        before->second.status.reason != door.status.reason)
      spdlog::info("interface {}: {} door ({})", link.name, door.status.door, door.status.reason);
    now.emplace(link.name, std::move(door));
  }
  for (const std::string& name : options_.interfaces)
    if (!now.contains(name)) now[name].status = {name, "none", "there is no such Ethernet interface now"};
  for (const auto& [name, door] : doors_) {
    if (now.contains(name)) continue;
    spdlog::info("interface {}: gone", name);
    qdiscs_.remove(name);
  }
  doors_ = std::move(now);
}

Doors::Door Doors::open(const network::DoorLink& link) {
  Door door{{link.name, "tc", ""}, link.index};
  const auto attached = dataplane::attach_tc(link.index, link.name, Hook::ingress, object_.tc_program());
  if (!attached) {
    door.status = {link.name, "none", attached.error().text};
    return door;
  }
  if (*attached) qdiscs_.add(link.name);
  door.status = open_xdp(link);
  describe_device(link, door.status.door == "xdp");
  return door;
}

// The XDP door where it is wanted and possible, else the tc door alone, with the reason.
DoorStatus Doors::open_xdp(const network::DoorLink& link) {
  const network::XdpAdvice advice = network::xdp_advice(link);
  const bool wanted = options_.door == DoorChoice::xdp || (options_.door == DoorChoice::automatic && advice.native);
  std::string why = options_.door == DoorChoice::tc ? "as configured" : advice.reason;
  if (wanted) {
    if (dataplane::xdp_occupant(link.index) == dataplane::XdpOccupant::other)
      return {link.name, "tc", "another XDP program is attached"};
    if (const auto done = dataplane::attach_xdp(link.index, link.name, object_.xdp_program()); !done)
      return {link.name, "tc", done.error().text};
    return {link.name, "xdp", options_.door == DoorChoice::xdp ? "as configured" : advice.reason};
  }
  if (const auto done = dataplane::detach_xdp(link.index, link.name); !done) why = done.error().text;
  return {link.name, "tc", why};
}

void Doors::describe_device(const network::DoorLink& link, bool xdp) {
  limpet_device device{};
  device.ifindex = static_cast<std::uint32_t>(link.index);
  device.flags = xdp ? LIMPET_DEVICE_XDP_TARGET : 0U;
  std::memcpy(device.mac, link.mac.data(), sizeof(device.mac));
  object_.devices[device.ifindex % LIMPET_DEVICES] = device;
}

std::vector<DoorStatus> Doors::status() const {
  std::vector<DoorStatus> all;
  for (const auto& [name, door] : doors_) all.push_back(door.status);
  return all;
}

std::vector<std::string> Doors::interfaces() const {
  std::vector<std::string> all;
  for (const auto& [name, door] : doors_)
    if (door.status.door != "none") all.push_back(name);
  return all;
}

Result<void> close_all_doors(QdiscRecord& qdiscs, const std::vector<network::Link>& links) {
  Result<void> first;
  const auto keep_first = [&first](const Result<void>& result) {
    if (!result && first) first = result;
  };
  for (const network::Link& link : links) {
    const bool added = qdiscs.contains(link.name);
    keep_first(dataplane::detach_xdp(link.index, link.name));
    keep_first(dataplane::detach_tc(link.index, link.name, Hook::ingress, added));
    keep_first(dataplane::detach_tc(link.index, link.name, Hook::egress, false));
    if (added) qdiscs.remove(link.name);
  }
  const auto left = qdiscs.interfaces();
  for (const std::string& gone : left) qdiscs.remove(gone);
  return first;
}

}  // namespace limpet
