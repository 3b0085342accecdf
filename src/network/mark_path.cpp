// SPDX-License-Identifier: Apache-2.0
// Brings the kernel's devices, routes, rules and settings to what marked packets need.
#include "network/mark_path.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <utility>

#include "network/interfaces.h"

namespace limpet::network {
namespace {

// Locally administered, and only ever seen between the two. Both ends have the same one: a device without ARP sends
// frames to its own address, which must be limpet1's for the packet to count as sent to this host (PACKET_HOST).
constexpr MacAddress kMac = {0x02, 0x4c, 0x49, 0x4d, 0x50, 0x54};

// The largest there is: with a smaller one the forward path refuses packets that GRO has put together, and tells
// their sender that fragmentation is needed.
constexpr std::uint32_t kMtu = 65535;

struct Setting {
  const char* interface;
  const char* name;
  const char* value;
};

// All of these go away with the devices, so they are not recorded.
constexpr Setting kIpv4Settings[] = {
    // limpet0 is the input interface of the data plane's route lookups, which are refused without forwarding.
    {kMarkDevice, "forwarding", "1"},
    {kMarkDevice, "rp_filter", "0"},
    {kMarkDevice, "send_redirects", "0"},
    {kMarkPeer, "forwarding", "1"},
    // Packets come out of limpet1 whose sources are reached through other interfaces: loose mode, which also outdoes a
    // strict conf/all/rp_filter (the greater of both counts).
    {kMarkPeer, "rp_filter", "2"},
    {kMarkPeer, "send_redirects", "0"},
    // For the moment in which rules are exchanged, see mark_rules.cpp: this host's own packets may take this way too.
    {kMarkPeer, "accept_local", "1"},
};

// Otherwise the pair would send router solicitations and show addresses that nobody asked for.
constexpr Setting kIpv6Settings[] = {{kMarkDevice, "disable_ipv6", "1"}, {kMarkPeer, "disable_ipv6", "1"}};

Result<void> apply_setting(const std::string& family, const Setting& setting) {
  const std::string path = "net/" + family + "/conf/" + setting.interface + "/" + setting.name;
  // A kernel without IPv6 needs it not to be disabled.
  if (family == "ipv6" && !sysctl_exists(path)) return {};
  const auto current = read_sysctl(path);
  if (current && *current == setting.value) return {};
  return write_sysctl(path, setting.value);
}

Result<void> apply_settings() {
  for (const Setting& setting : kIpv6Settings) {
    if (auto applied = apply_setting("ipv6", setting); !applied) return applied;
  }
  for (const Setting& setting : kIpv4Settings) {
    if (auto applied = apply_setting("ipv4", setting); !applied) return applied;
  }
  return {};
}

// With early demultiplexing a packet of a local socket already carries that socket when it is routed, and the forward
// path drops such a packet (ip_forward.c: skb->sk): connections this host ends itself would stop after the first
// packet.
constexpr const char* kEarlyDemux = "net/ipv4/ip_early_demux";

// To the kernel a packet led to limpet0 is a forwarded one.
std::map<std::string, std::string> forward_path_settings(const std::vector<std::string>& ingress) {
  std::map<std::string, std::string> settings = {{kEarlyDemux, "0"}};
  for (const std::string& interface : ingress) settings[forwarding_sysctl(interface)] = "1";
  return settings;
}

bool is_forward_path_setting(const std::string& path) {
  return path == kEarlyDemux || (path.starts_with("net/ipv4/conf/") && path.ends_with("/forwarding"));
}

const Link* named(const std::vector<Link>& links, const std::string& name) {
  const auto found = std::find_if(links.begin(), links.end(), [&](const Link& link) { return link.name == name; });
  return found == links.end() ? nullptr : &*found;
}

Error stranger(const Link& link) {
  return {ErrorCode::internal, "The interface " + link.name +
                                   " is not one that limpet made (it is no veth): limpet needs this name, rename the "
                                   "interface."};
}

// Behind all others. To the data plane's lookups "no route" and "local" look alike (bpf_fib_lookup says NOT_FWDED to
// both); with this rule at the end, what has no route is prohibited instead.
Rule last_rule() {
  Rule rule;
  rule.priority = 32800;  // the kernel's own last one is at 32767
  rule.action = FR_ACT_PROHIBIT;
  rule.input_interface = kMarkDevice;
  rule.protocol = kRouteProtocol;
  return rule;
}

OwnRoutes out_of(int interface, const std::set<Prefix>& prefixes) {
  OwnRoutes routes;
  for (const Prefix& prefix : prefixes) routes.emplace(prefix, interface);
  return routes;
}

void keep_first(Result<void>& outcome, const Result<void>& next) {
  if (outcome && !next) outcome = next;
}

}  // namespace

Result<MarkDevice> MarkPath::ensure_device() {
  auto device = find_device();
  if (device && device->ifindex == 0) device = create_device();
  if (!device) return device;
  if (auto ready = set_up_device(*device); !ready) return ready.error();
  if (auto ready = ensure_last_rule(); !ready) return ready.error();
  return device;
}

Result<void> MarkPath::ensure_last_rule() {
  const auto current = netlink_.rules(Family::ipv4);
  if (!current) return current.error();
  const auto same = [last = last_rule()](const Rule& rule) {
    return rule.priority == last.priority && rule.action == last.action && rule.input_interface == last.input_interface;
  };
  if (std::any_of(current->begin(), current->end(), same)) return {};
  return netlink_.add_rule(last_rule());
}

Result<MarkDevice> MarkPath::find_device() {
  const auto links = netlink_.links();
  if (!links) return links.error();
  const Link* device = named(*links, kMarkDevice);
  const Link* peer = named(*links, kMarkPeer);
  for (const Link* link : {device, peer}) {
    if (link != nullptr && link->kind != "veth") return stranger(*link);
  }
  if (device != nullptr && peer != nullptr && device->peer_index == peer->index) {
    return MarkDevice{.ifindex = device->index, .peer_ifindex = peer->index, .mac = kMac};
  }
  // One half alone: its other end was renamed or moved to another namespace. Deleting one end deletes the other.
  for (const Link* link : {device, peer}) {
    if (link == nullptr) continue;
    if (auto deleted = netlink_.delete_link(link->index); !deleted) return deleted.error();
  }
  return MarkDevice{};
}

Result<MarkDevice> MarkPath::create_device() {
  if (auto created = netlink_.create_veth_pair(kMarkDevice, kMarkPeer, kMac, kMtu); !created) return created.error();
  return find_device();
}

Result<void> MarkPath::set_up_device(const MarkDevice& device) {
  if (auto applied = apply_settings(); !applied) return applied;  // before "up", so that nothing is sent
  const auto links = netlink_.links();
  if (!links) return links.error();
  for (const char* name : {kMarkDevice, kMarkPeer}) {
    const Link* link = named(*links, name);
    if (link == nullptr) continue;  // taken away this moment: the change will be reported, and this called again
    Result<void> step;
    if (link->mac != kMac) keep_first(step, netlink_.set_mac(link->index, kMac));
    if (link->mtu != kMtu) keep_first(step, netlink_.set_mtu(link->index, kMtu));
    if ((link->flags & IFF_NOARP) == 0) keep_first(step, netlink_.set_noarp(link->index));
    if (!link->is_up()) keep_first(step, netlink_.set_up(link->index));
    if (!step) return step;
  }
  // Loose source checks hold a device without any address for one that no source can be reached through, and drop
  // what comes in there (fib_frontend.c, __fib_validate_source: no_addr). Scope link: never chosen as a source.
  return netlink_.add_address(
      {.interface = device.peer_ifindex, .address = mark_peer_address(), .prefix_length = 32, .scope = RT_SCOPE_LINK});
}

Result<void> MarkPath::ensure_rules(const MarkPathPlan& plan, const std::vector<std::string>& ingress) {
  if (!plan.active()) return take_out_rules();
  const auto device = find_device();
  if (!device) return device.error();
  if (device->ifindex == 0) return Error{ErrorCode::internal, "The interface limpet0 is gone."};
  const auto local = netlink_.local_prefixes(Family::ipv4);
  if (!local) return local.error();
  const auto rules = netlink_.rules(Family::ipv4);
  if (!rules) return rules.error();
  const int limpet0 = device->ifindex;
  auto proxies = find_proxies(*rules, plan, limpet0);
  if (!proxies) return proxies.error();

  // Rules last: what they lead to is there before, and what they lead back.
  if (auto done = ensure_settings(forward_path_settings(ingress)); !done) return done;
  if (auto done = ensure_routes(table_, out_of(limpet0, marked_prefixes(*local))); !done) return done;
  if (auto done = ensure_routes(table_ + 1, out_of(limpet0, deferred_prefixes(plan, *local))); !done) return done;
  if (auto done = remove_leads(*rules, proxies->leads); !done) return done;
  proxies_ = std::move(*proxies);
  for (const auto& [table, routes] : proxies_.tables)
    if (auto done = ensure_routes(table, routes); !done) return done;
  if (auto done = apply_rules(mark_rules(plan, table_, proxies_.deliveries)); !done) return done;
  return add_leads(proxies_.leads);
}

Result<TransparentProxies> MarkPath::find_proxies(const std::vector<Rule>& rules, const MarkPathPlan& plan,
                                                  int limpet0) {
  std::map<std::uint32_t, std::vector<Route>> tables;
  for (const std::uint32_t table : tables_to_read(rules, plan.marks)) {
    auto routes = netlink_.routes(Family::ipv4, table, RTN_LOCAL);
    if (routes && needs_all_routes(*routes)) routes = netlink_.routes(Family::ipv4, table);
    if (!routes) return routes.error();
    tables.emplace(table, std::move(*routes));
  }
  return find_transparent_proxies(rules, tables, plan.marks, limpet0);
}

// Those that are not wanted, and the routes of the tables that no wanted one leads to.
Result<void> MarkPath::remove_leads(const std::vector<Rule>& current, const std::vector<Rule>& wanted) {
  for (const Rule& rule : current) {
    if (!is_lead(rule) || std::find(wanted.begin(), wanted.end(), rule) != wanted.end()) continue;
    if (auto deleted = netlink_.delete_rule(rule); !deleted) return deleted;
    const bool is_led_to =
        std::any_of(wanted.begin(), wanted.end(), [&](const Rule& lead) { return lead.table == rule.table; });
    if (is_led_to || rule.input_interface == "lo") continue;  // that one leads to the administrator's table
    if (auto emptied = ensure_routes(rule.table, {}); !emptied) return emptied;
  }
  return {};
}

Result<void> MarkPath::add_leads(const std::vector<Rule>& wanted) {
  if (wanted.empty()) return {};
  const auto current = netlink_.rules(Family::ipv4);
  if (!current) return current.error();
  const std::vector<Rule> missing = leads_to_add(wanted, *current);
  for (const Rule& lead : missing)
    if (auto added = netlink_.add_rule(lead); !added) return added;
  // The first one goes: the one that stood too early.
  for (const Rule& lead : missing) {
    if (std::find(current->begin(), current->end(), lead) == current->end()) continue;
    if (auto deleted = netlink_.delete_rule(lead); !deleted) return deleted;
  }
  return {};
}

Result<bool> MarkPath::leads(const IncomingPacket& packet) {
  const auto interface = netlink_.interface_for(packet);
  if (!interface) return interface.error();
  const auto limpet0 = static_cast<int>(::if_nametoindex(kMarkDevice));
  return limpet0 != 0 && *interface == limpet0;
}

// Of processes that were killed between a rule and its table.
Result<void> MarkPath::remove_orphans() {
  const auto routes = netlink_.own_routes(Family::ipv4);
  if (!routes) return routes.error();
  for (const Route& route : *routes)
    if (auto deleted = netlink_.delete_route(route.prefix, route.table); !deleted) return deleted;
  return {};
}

Result<void> MarkPath::ensure_routes(std::uint32_t table, const OwnRoutes& wanted) {
  const auto routes = netlink_.routes(Family::ipv4, table);
  if (!routes) return routes.error();
  OwnRoutes present;
  for (const Route& route : *routes) {
    if (route.protocol == kRouteProtocol) present[route.prefix] = route.interface;
  }
  for (const auto& [prefix, interface] : wanted) {
    if (const auto found = present.find(prefix); found != present.end() && found->second == interface) continue;
    if (auto added = netlink_.add_route(prefix, interface, table); !added) return added;
  }
  for (const auto& [prefix, unused] : present) {
    if (wanted.contains(prefix)) continue;
    if (auto deleted = netlink_.delete_route(prefix, table); !deleted) return deleted;
  }
  return {};
}

Result<void> MarkPath::ensure_settings(const std::map<std::string, std::string>& wanted) {
  for (const auto& [path, value] : wanted) {
    auto set = sysctls_.set(path, value);
    if (!set && sysctl_exists(path)) return set;  // else the interface has gone since it was listed
  }
  for (const std::string& path : sysctls_.recorded()) {
    if (!is_forward_path_setting(path) || wanted.contains(path)) continue;
    if (auto restored = sysctls_.restore_one(path); !restored) return restored;
  }
  return {};
}

Result<void> MarkPath::apply_rules(const std::vector<Rule>& wanted) {
  const auto current = netlink_.rules(Family::ipv4);
  if (!current) return current.error();
  const auto steps = rule_steps(*current, wanted);
  if (!steps) return steps.error();
  for (const RuleStep& step : *steps) {
    auto done = step.kind == RuleStep::Kind::add ? netlink_.add_rule(step.rule) : netlink_.delete_rule(step.rule);
    if (!done) return done;
  }
  return {};
}

Result<void> MarkPath::take_out_rules() {
  Result<void> outcome;
  proxies_ = {};
  const auto rules = netlink_.rules(Family::ipv4);
  keep_first(outcome, rules ? remove_leads(*rules, {}) : rules.error());
  keep_first(outcome, apply_rules({}));
  keep_first(outcome, remove_orphans());
  keep_first(outcome, ensure_settings({}));
  return outcome;
}

Result<void> MarkPath::remove() {
  Result<void> outcome = take_out_rules();
  keep_first(outcome, netlink_.delete_rule(last_rule()));
  const auto links = netlink_.links();
  if (!links) return outcome ? Result<void>(links.error()) : outcome;
  for (const char* name : {kMarkDevice, kMarkPeer}) {
    const Link* link = named(*links, name);
    if (link == nullptr || link->kind != "veth") continue;
    keep_first(outcome, netlink_.delete_link(link->index));
  }
  return outcome;
}

}  // namespace limpet::network
