// SPDX-License-Identifier: Apache-2.0
// Our own Maglev scheduler: packets go where limpetd's table says, by the same hash, on every director alike.
#include <arpa/inet.h>

#include <algorithm>
#include <map>
#include <random>

#include "dataplane/keys.h"
#include "dataplane/maglev_table.h"
#include "dataplane/siphash.h"
#include "fixture.h"

namespace limpet::packet {
namespace {

class Maglev : public SchedulerTest {
 protected:
  Service& serve(const std::vector<ServerSpec>& servers, std::uint32_t flags = 0) {
    Service& service = tables.add(tcp_service(kVip, 80).scheduled(LIMPET_MAGLEV, flags));
    tables.add_servers(service, servers);
    return service;
  }

  static std::vector<ServerSpec> some(std::size_t count) {
    std::vector<ServerSpec> servers;
    for (std::size_t i = 0; i < count; i++)
      servers.push_back(
          route(kServerA, static_cast<std::uint16_t>(1000 + i)).weight(static_cast<std::uint32_t>(i % 4)));
    return servers;
  }

  static std::vector<ServerSpec> limited(std::uint16_t count) {
    std::vector<ServerSpec> servers;
    for (std::uint16_t port = 1; port <= count; port++) servers.push_back(route(kServerA, port).thresholds(1000));
    return servers;
  }

  void overload(std::uint32_t server) {
    limpet_counts counts = tables.counts(server);
    counts.overloaded = 1;
    tables.set_counts(server, counts);
  }

  // What limpetd reckons with: the table, and SipHash-1-3 of address and port.
  std::uint32_t expected(const Service& service, const std::string& client, std::uint16_t port) {
    dataplane::DestinationList list;
    for (const std::uint32_t id : service.servers) {
      const limpet_destination d = tables.destination(id);
      list.push_back({id, d.weight, 0, dataplane::get_address(d.address, d.family), dataplane::port_of(d.port)});
    }
    const auto table = dataplane::maglev_table(list, kMaglevKey);
    dataplane::SipHash13 hash(kMaglevKey.first, kMaglevKey.second);
    hash.add(std::uint64_t{6} << 56 | std::uint64_t{ntohl(ip(client))} << 16 | port);
    return list.at(table.at((hash.end() >> 32) * table.size() >> 32)).id;
  }

  std::string client(std::uint32_t number) const {
    return "10." + std::to_string(number % 7) + "." + std::to_string(number / 250) + "." + std::to_string(number % 250);
  }
};

TEST_F(Maglev, leads_a_client_to_the_server_of_its_bucket) {
  for (const std::size_t count : {2U, 8U, 41U, 200U, 1000U}) {
    tables.reset();
    const Service& service = serve(some(count));
    for (std::uint32_t i = 1; i < 40; i++)
      ASSERT_EQ(connect(client(i), static_cast<std::uint16_t>(2000 + i)), expected(service, client(i), 0)) << count;
  }
}

TEST_F(Maglev, with_the_port_leads_each_connection_to_the_server_of_its_bucket) {
  const Service& service = serve(some(30), LIMPET_SERVICE_HASH_PORT);
  for (std::uint16_t port = 2000; port < 2100; port++)
    ASSERT_EQ(connect("10.1.0.1", port), expected(service, "10.1.0.1", port));
}

TEST_F(Maglev, agrees_with_another_director_that_was_given_the_servers_in_another_order) {
  std::vector<ServerSpec> servers = some(50);
  std::map<std::uint32_t, std::uint16_t> chosen;
  for (const bool shuffled : {false, true}) {
    tables.reset();
    if (shuffled) std::shuffle(servers.begin(), servers.end(), std::mt19937(1));
    serve(servers);
    for (std::uint32_t i = 1; i < 100; i++) {
      const std::uint32_t id = connect(client(i), static_cast<std::uint16_t>(2000 + i));
      const std::uint16_t port = tables.destination(id).port;
      if (shuffled)
        ASSERT_EQ(port, chosen[i]);
      else
        chosen[i] = port;
    }
  }
}

TEST_F(Maglev, gives_the_clients_of_a_quiesced_server_to_others_and_takes_them_back) {
  Service& service = serve({route(kServerA, 1), route(kServerA, 2), route(kServerA, 3)});
  const std::uint32_t quiesced = service.servers[1];
  std::map<std::uint32_t, std::uint32_t> before;
  for (std::uint32_t i = 1; i < 60; i++) before[i] = connect(client(i), 2000);
  tables.weigh(service, quiesced, 0);
  for (std::uint32_t i = 1; i < 60; i++) {
    const std::uint32_t now = connect(client(i), 2001);
    ASSERT_NE(now, 0U);
    ASSERT_NE(now, quiesced);
  }
  tables.weigh(service, quiesced, 1);
  for (std::uint32_t i = 1; i < 60; i++) ASSERT_EQ(connect(client(i), 2002), before[i]);
}

TEST_F(Maglev, refuses_the_clients_of_an_overloaded_server_unless_told_to_fall_back) {
  Service& service = serve(limited(4));
  const std::uint32_t full = service.servers[2];
  std::map<std::uint32_t, std::uint32_t> before;
  for (std::uint32_t i = 1; i < 100; i++) before[i] = connect(client(i), 2000);
  overload(full);
  for (std::uint32_t i = 1; i < 100; i++) ASSERT_EQ(connect(client(i), 2001), before[i] == full ? 0 : before[i]);

  service.spec.scheduler_flags = LIMPET_SERVICE_FALLBACK;
  tables.publish(service);
  std::map<std::uint32_t, int> heirs;
  for (std::uint32_t i = 1; i < 100; i++) {
    const std::uint32_t now = connect(client(i), 2002);
    if (before[i] == full)
      heirs[now]++;
    else
      ASSERT_EQ(now, before[i]);
  }
  EXPECT_EQ(heirs.size(), 3U) << "not all of them to one";
  EXPECT_FALSE(heirs.contains(0));
  EXPECT_FALSE(heirs.contains(full));
}

TEST_F(Maglev, falls_back_to_the_only_server_of_many_that_takes_anybody_and_refuses_if_there_is_none) {
  const Service& service = serve(limited(200), LIMPET_SERVICE_FALLBACK);
  const std::uint32_t last = service.servers[77];
  for (const std::uint32_t id : service.servers)
    if (id != last) overload(id);
  for (std::uint32_t i = 1; i < 20; i++) ASSERT_EQ(connect(client(i), 2000), last);
  overload(last);
  EXPECT_EQ(connect("10.0.0.77", 2000), 0U);
}

TEST_F(Maglev, refuses_everybody_without_a_server_or_without_a_weight) {
  Service& service = serve({});
  EXPECT_EQ(next(), 0U);
  const std::uint32_t id = tables.add_server(service, route(kServerA).weight(0));
  EXPECT_EQ(next(), 0U);
  tables.weigh(service, id, 1);
  EXPECT_EQ(next(), id);
}

}  // namespace
}  // namespace limpet::packet
