// SPDX-License-Identifier: Apache-2.0
// The way of marked (and deferred) first packets from netfilter to the data plane: the devices limpet0 and limpet1, two
// routing tables and the rules that lead there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/result.h"
#include "network/mark_rules.h"
#include "network/netlink.h"
#include "network/sysctl.h"
#include "network/transparent_proxy.h"

namespace limpet::network {

struct MarkDevice {
  int ifindex = 0;       // limpet0: carries the mark door, and is the interface of the data plane's own lookups
  int peer_ifindex = 0;  // limpet1: what the door does not take comes out here
  MacAddress mac{};      // of both

  bool operator==(const MarkDevice&) const = default;
};

// Every call brings the kernel from whatever there is (nothing, leftovers of a killed process, the wanted state) to
// what is asked for, and changes nothing that is right already. Call again when links, local addresses or rules change.
class MarkPath {
 public:
  // Both must outlive this.
  MarkPath(Netlink& netlink, Sysctls& sysctls, std::uint32_t table = kDefaultMarkTable)
      : netlink_(netlink), sysctls_(sysctls), table_(table) {}

  // The pair of devices, which the data plane needs with and without marks.
  Result<MarkDevice> ensure_device();

  // Routes, rules and the settings of the forward path; `ingress`: the interfaces where marked packets come in. A plan
  // that is not active takes all of it out again. Precondition: ensure_device() succeeded.
  Result<void> ensure_rules(const MarkPathPlan& plan, const std::vector<std::string>& ingress);

  // Whether the host's rules send it out of limpet0.
  Result<bool> leads(const IncomingPacket& packet);

  // What there is of transparent proxies, as of the last ensure_rules().
  const TransparentProxies& transparent_proxies() const { return proxies_; }

  // Takes out rules, routes, forwarding and devices; carries on after a failure and returns the first one.
  Result<void> remove();

 private:
  Result<MarkDevice> create_device();
  Result<MarkDevice> find_device();  // index 0: there is none that could be used
  Result<void> set_up_device(const MarkDevice& device);
  Result<void> ensure_last_rule();
  Result<TransparentProxies> find_proxies(const std::vector<Rule>& rules, const MarkPathPlan& plan, int limpet0);
  Result<void> ensure_routes(std::uint32_t table, const OwnRoutes& wanted);
  Result<void> ensure_settings(const std::map<std::string, std::string>& wanted);
  Result<void> apply_rules(const std::vector<Rule>& wanted);
  Result<void> remove_leads(const std::vector<Rule>& current, const std::vector<Rule>& wanted);
  Result<void> add_leads(const std::vector<Rule>& wanted);
  Result<void> remove_orphans();
  Result<void> take_out_rules();

  Netlink& netlink_;
  Sysctls& sysctls_;
  std::uint32_t table_;
  TransparentProxies proxies_;
};

}  // namespace limpet::network
