// SPDX-License-Identifier: Apache-2.0
// What the director keeps up in the host around the data plane.
#include "director/host.h"

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
  std::unique_ptr<Host> host(new Host(options, std::move(*netlink), std::move(*monitor), std::move(*sysctls)));
  const auto device = host->mark_path_.ensure_device();
  if (!device) return device.error();
  host->mark_device_ = *device;
  return host;
}

std::uint32_t Host::attached_program() const {
  return dataplane::attached_tc(mark_device_.ifindex, dataplane::Hook::egress);
}

Result<void> Host::connect(dataplane::Object& object) {
  object_ = &object;
  dataplane::store_word(object.config[0].mark_ifindex, static_cast<std::uint32_t>(mark_device_.ifindex));
  const auto attached =
      dataplane::attach_tc(mark_device_.ifindex, network::kMarkDevice, dataplane::Hook::egress, object.mark_program());
  if (!attached) return attached.error();
  const auto back = dataplane::attach_tc(mark_device_.peer_ifindex, network::kMarkPeer, dataplane::Hook::ingress,
                                         object.return_program());
  if (!back) return back.error();
  doors_ = std::make_unique<Doors>(object, options_, qdiscs_);
  refresh_doors();
  return {};
}

void Host::refresh_doors() {
  const auto links = netlink_.links();
  if (links)
    doors_->refresh(*links);
  else
    spdlog::warn("{}", links.error().text);
}

Result<void> Host::lead(const network::MarkPathPlan& plan) {
  limpet_config& config = object_->config[0];
  if (!plan.active()) dataplane::store_word(config.flags, config.flags & ~static_cast<__u32>(LIMPET_DEFER_IPV4));
  if (auto led = mark_path_.ensure_rules(plan, doors_->interfaces()); !led) return led;
  plan_ = plan;
  if (plan.active()) dataplane::store_word(config.flags, config.flags | LIMPET_DEFER_IPV4);
  return {};
}

void Host::keep_servers(const std::vector<Address>& servers) { neighbours_.keep(servers); }

bool Host::take_changes() {
  const auto changes = monitor_.read();
  if (!changes) {
    spdlog::warn("{}", changes.error().text);
    return false;
  }
  if (!changes->any()) return false;
  if (changes->links) {
    // limpet0 itself may have been deleted.
    const auto device = mark_path_.ensure_device();
    if (!device) {
      spdlog::error("{}", device.error().text);
    } else if (*device != mark_device_ || attached_program() == 0) {
      mark_device_ = *device;
      if (auto connected = connect(*object_); !connected) spdlog::error("{}", connected.error().text);
    }
    refresh_doors();
  }
  for (std::size_t i = 0; i < object_->local_cache.size(); ++i) dataplane::store_word(object_->local_cache[i], 0);
  if (plan_.active())
    if (const auto led = lead(plan_); !led) spdlog::warn("{}", led.error().text);
  return true;
}

void Host::look_for_hazards() {
  std::vector<std::string> found;
  if (plan_.active())
    for (const network::FirewallHazard& hazard : network::find_mark_hazards(doors_->interfaces()))
      found.push_back(hazard.text);
  for (const std::string& text : found)
    if (std::find(hazards_.begin(), hazards_.end(), text) == hazards_.end()) spdlog::warn("{}", text);
  hazards_ = std::move(found);
}

std::vector<DoorStatus> Host::doors() const { return doors_->status(); }

}  // namespace limpet
