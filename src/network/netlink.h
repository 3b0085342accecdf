// SPDX-License-Identifier: Apache-2.0
// One rtnetlink socket: reads and changes this network namespace's links, addresses, routes, rules and neighbours.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/result.h"
#include "network/netlink_types.h"

struct nl_sock;

namespace limpet::network {

class Message;
class Replies;

// Requests are answered before a call returns; a kernel that stays silent for five seconds is an error. Everything
// that removes takes "already gone" for success, everything that adds takes "already there" for success.
class Netlink {
 public:
  static Result<Netlink> open();  // in the network namespace of the calling thread

  Result<std::vector<Link>> links();
  Result<std::optional<Link>> link(const std::string& name);
  // Both ends in this namespace, both down, both with this hardware address.
  Result<void> create_veth_pair(const std::string& name, const std::string& peer, const MacAddress& mac,
                                std::uint32_t mtu);
  Result<void> delete_link(int index);
  Result<void> set_up(int index, bool up = true);
  Result<void> set_noarp(int index);
  Result<void> set_mtu(int index, std::uint32_t mtu);
  Result<void> set_mac(int index, const MacAddress& mac);

  Result<std::vector<InterfaceAddress>> addresses();
  Result<void> add_address(const InterfaceAddress& address);

  // What is delivered to this host: the addresses and prefixes of type local in the local table.
  Result<std::vector<Prefix>> local_prefixes(Family family);
  // `type`: RTN_*, only of this one; 0: all.
  Result<std::vector<Route>> routes(Family family, std::uint32_t table, std::uint8_t type = 0);
  // Unicast, scope link, to an interface without a gateway; or kNowhere. Stamped as limpet's own.
  Result<void> add_route(const Prefix& prefix, int interface, std::uint32_t table);
  // Only one stamped as limpet's own.
  Result<void> delete_route(const Prefix& prefix, std::uint32_t table);
  Result<NextHop> next_hop(const Address& address);
  Result<int> interface_for(const IncomingPacket& packet);  // it would leave by; lo: it is for this host
  // All that are stamped as limpet's own, in whatever table. The kernel looks at every route it has.
  Result<std::vector<Route>> own_routes(Family family);

  Result<std::vector<Rule>> rules(Family family);
  // Behind all rules of the same preference; a second equal rule is possible.
  Result<void> add_rule(const Rule& rule);
  // The first rule in the list that has what `rule` states: what `rule` leaves open (no interface, mask 0, protocol 0)
  // is not compared, so "lookup local" also finds "iif lo lookup local".
  Result<void> delete_rule(const Rule& rule);

  // Has the kernel resolve the neighbour and keep it resolved (NTF_EXT_MANAGED). An administrator's permanent entry
  // stays as it is.
  Result<void> keep_neighbour(int interface, const Address& address);
  Result<void> delete_neighbour(int interface, const Address& address);
  Result<std::optional<Neighbour>> neighbour(int interface, const Address& address);
  Result<std::vector<Neighbour>> neighbours(Family family);

 private:
  struct CloseSocket {
    void operator()(nl_sock* socket) const;
  };

  explicit Netlink(nl_sock* socket) : socket_(socket) {}
  // Sends and waits for the acknowledgement; errno values in `fine` are success. `doing` opens the error's sentence.
  Result<Replies> request(Message& message, const std::string& doing, std::initializer_list<int> fine = {});
  Result<void> change(Message& message, const std::string& doing, std::initializer_list<int> fine = {});
  Result<Replies> dump(Message& message, const std::string& doing);
  Result<Replies> exchange(Message& message, const std::string& doing, std::initializer_list<int> fine);

  std::unique_ptr<nl_sock, CloseSocket> socket_;
};

}  // namespace limpet::network
