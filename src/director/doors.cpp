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

namespace {

// Takes our programs out of an interface, and its clsact if that is ours. Nothing there is success.
Result<void> close_door(QdiscRecord& qdiscs, const network::Link& link) {
  const bool added = qdiscs.contains(link.name);
  auto first = dataplane::detach_xdp(link.index, link.name);
  for (const auto& done : {dataplane::detach_tc(link.index, link.name, Hook::ingress, added),
                           dataplane::detach_tc(link.index, link.name, Hook::egress, false)})
    if (first && !done) first = done;
  if (added) qdiscs.remove(link.name);
  return first;
}

}  // namespace

bool Doors::is_wanted(const network::DoorLink& link) const {
  const auto& names = options_.interfaces;
  return names.empty() || std::find(names.begin(), names.end(), link.name) != names.end();
}

void Doors::refresh(const std::vector<network::Link>& links) {
  keep_record_of_renamed(links);
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
  close_others(links, now);
  for (const std::string& name : options_.interfaces)
    if (!now.contains(name)) now[name].status = {name, "none", "there is no such Ethernet interface now"};
  for (const auto& [name, door] : doors_) {
    if (now.contains(name)) continue;
    spdlog::info("interface {}: gone", name);
    qdiscs_.remove(name);
  }
  doors_ = std::move(now);
  first_ = false;
}

// The qdisc goes along with an interface that gets another name, and so must its record.
void Doors::keep_record_of_renamed(const std::vector<network::Link>& links) {
  for (const auto& [name, door] : doors_) {
    const auto same = [index = door.ifindex](const network::Link& link) { return link.index == index; };
    const auto link = std::find_if(links.begin(), links.end(), same);
    if (door.ifindex != 0 && link != links.end() && link->name != name && qdiscs_.contains(name))
      qdiscs_.add(link->name);
  }
}

// Interfaces that had a door and are not to have one now: they have become a bridge's port, say, or a former limpetd
// was to serve others.
void Doors::close_others(const std::vector<network::Link>& links, const std::map<std::string, Door>& now) {
  for (const network::Link& link : links) {
    if (now.contains(link.name) || link.name == network::kMarkDevice || link.name == network::kMarkPeer) continue;
    const auto had = [&](const auto& entry) { return entry.second.ifindex == link.index; };
    if (!first_ && std::none_of(doors_.begin(), doors_.end(), had)) continue;
    if (const auto closed = close_door(qdiscs_, link); !closed) spdlog::warn("{}", closed.error().text);
    limpet_device& device = object_.devices[static_cast<std::uint32_t>(link.index) % LIMPET_DEVICES];
    if (device.ifindex == static_cast<std::uint32_t>(link.index)) dataplane::store_word(device.ifindex, 0);
  }
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
  const auto own = options_.doors.find(link.name);
  const DoorChoice choice = own != options_.doors.end() ? own->second : options_.door;
  const bool wanted = choice == DoorChoice::xdp || (choice == DoorChoice::automatic && advice.native);
  std::string why = choice == DoorChoice::tc ? "as configured" : advice.reason;
  if (wanted) {
    if (dataplane::xdp_occupant(link.index) == dataplane::XdpOccupant::other)
      return {link.name, "tc", "another XDP program is attached"};
    const auto program = object_.xdp_program();
    if (!program) return {link.name, "tc", program.error().text};
    if (const auto done = dataplane::attach_xdp(link.index, link.name, *program); !done)
      return {link.name, "tc", done.error().text};
    return {link.name, "xdp", choice == DoorChoice::xdp ? "as configured" : advice.reason};
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
  for (const network::Link& link : links)
    if (const auto closed = close_door(qdiscs, link); !closed && first) first = closed;
  const auto left = qdiscs.interfaces();
  for (const std::string& gone : left) qdiscs.remove(gone);
  return first;
}

}  // namespace limpet
