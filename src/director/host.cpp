// SPDX-License-Identifier: Apache-2.0
// What the director keeps up in the host around the data plane.
#include "director/host.h"

#include <net/if.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "dataplane/attach.h"
#include "network/firewall_check.h"

namespace limpet {

Host::Host(const DirectorOptions& options, network::Netlink netlink, network::Monitor monitor, network::Sysctls sysctls)
    : options_(options),
      netlink_(std::move(netlink)),
      monitor_(std::move(monitor)),
      sysctls_(std::move(sysctls)),
      mark_path_(netlink_, sysctls_),
      qdiscs_(options.run_directory),
      neighbours_(netlink_) {}

Result<std::unique_ptr<Host>> Host::open(const DirectorOptions& options) {
  auto netlink = network::Netlink::open();
  if (!netlink) return netlink.error();
  auto monitor = network::Monitor::open();
  if (!monitor) return monitor.error();
  auto sysctls = network::Sysctls::open(sysctl_record(options.run_directory).string());
  if (!sysctls) return sysctls.error();
  return std::unique_ptr<Host>(new Host(options, std::move(*netlink), std::move(*monitor), std::move(*sysctls)));
}

std::uint32_t Host::attached_program() const {
  const unsigned index = ::if_nametoindex(network::kMarkDevice);
  return index == 0 ? 0 : dataplane::attached_tc(static_cast<int>(index), dataplane::Hook::egress);
}

Result<void> Host::connect(dataplane::Object& object) {
  object_ = &object;
  const auto device = mark_path_.ensure_device();
  if (!device) return device.error();
  if (auto opened = open_mark_door(*device); !opened) return opened;
  doors_ = std::make_unique<Doors>(object, options_, qdiscs_);
  refresh_doors();
  return {};
}

Result<std::optional<std::uint32_t>> Host::mtu_of(const std::string& interface) {
  const auto link = netlink_.link(interface);
  if (!link) return link.error();
  return *link ? std::optional((*link)->mtu) : std::nullopt;
}

Result<void> Host::open_mark_door(const network::MarkDevice& device) {
  mark_device_ = device;
  dataplane::store_word(object_->config[0].mark_ifindex, static_cast<std::uint32_t>(device.ifindex));
  const auto attached =
      dataplane::attach_tc(device.ifindex, network::kMarkDevice, dataplane::Hook::egress, object_->mark_program());
  if (!attached) return attached.error();
  const auto back = dataplane::attach_tc(device.peer_ifindex, network::kMarkPeer, dataplane::Hook::ingress,
                                         object_->return_program());
  return back ? Result<void>() : back.error();
}

void Host::refresh_doors() {
  const auto links = netlink_.links();
  if (links)
    doors_->refresh(*links);
  else
    complain(links.error());
}

Result<void> Host::lead(const network::MarkPathPlan& plan) {
  limpet_config& config = object_->config[0];
  plan_ = plan;
  if (!plan.active()) dataplane::store_word(config.flags, config.flags & ~static_cast<__u32>(LIMPET_DEFER_IPV4));
  auto led = mark_path_.ensure_rules(plan, doors_->interfaces());
  led_ = static_cast<bool>(led);
  if (led && plan.active()) dataplane::store_word(config.flags, config.flags | LIMPET_DEFER_IPV4);
  return led;
}

bool Host::leads(const ExplainQuestion& question) {
  network::IncomingPacket packet{.source = question.client,
                                 .destination = question.virtual_address,
                                 .mark = question.mark.value,
                                 .ip_protocol = static_cast<std::uint8_t>(question.protocol)};
  const std::vector<std::string> names = doors_->interfaces();
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    packet.interface = static_cast<int>(::if_nametoindex(name.c_str()));
    const auto led = mark_path_.leads(packet);
    return led && *led;
  });
}

void Host::take_changes() {
  const auto changes = monitor_.read();
  if (!changes) return complain(changes.error());
  if (!changes->any()) return;
  pending_ |= *changes;
  for (std::size_t i = 0; i < object_->local_cache.size(); ++i) dataplane::store_word(object_->local_cache[i], 0);
}

void Host::follow_addresses() {
  if (!pending_.addresses || !plan_.active()) return;
  pending_.addresses = false;
  pending_.routes = true;  // for settle()
  if (const auto led = lead(plan_); !led) complain(led.error());
}

bool Host::settle() {
  if (!pending_.any()) return false;
  const network::Changes changes = std::exchange(pending_, {});
  settled_ = true;
  if (changes.links) settle_links();
  if (plan_.active() || !led_)
    if (const auto led = lead(plan_); !led) complain(led.error());
  if (is_settled()) complaints_.clear();
  return true;
}

void Host::settle_links() {
  // limpet0 itself may have been deleted.
  const auto device = mark_path_.ensure_device();
  if (!device) {
    complain(device.error());
  } else if (*device != mark_device_ || attached_program() == 0) {
    if (const auto opened = open_mark_door(*device); !opened) complain(opened.error());
  }
  refresh_doors();
}

void Host::complain(const Error& error) {
  settled_ = false;
  if (complaints_.insert(error.text).second) spdlog::error("{}", error.text);
}

void Host::look_for_hazards() {
  std::vector<std::string> found;
  if (plan_.active())
    for (const network::FirewallHazard& hazard : network::find_mark_hazards(doors_->interfaces()))
      found.push_back(hazard.text);
  for (const std::string& hazard : mark_path_.transparent_proxies().hazards) found.push_back(hazard);
  for (const std::string& text : found)
    if (std::find(hazards_.begin(), hazards_.end(), text) == hazards_.end()) spdlog::warn("{}", text);
  hazards_ = std::move(found);
}

std::vector<DoorStatus> Host::doors() const { return doors_->status(); }

}  // namespace limpet
