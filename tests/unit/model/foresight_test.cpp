// SPDX-License-Identifier: Apache-2.0
// What changes would do to connections and persistent clients.
#include "model/foresight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace limpet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ServiceKey tcp(const char* endpoint) {
  const auto e = endpoint_from_string(endpoint);
  return ServiceKey::of_address(Protocol::tcp, e->address, e->port);
}

const ServiceKey kWeb = tcp("192.0.2.1:80");
const ServiceKey kEveryPort = tcp("192.0.2.1:0");
const ServiceKey kMark = ServiceKey::of_mark(Mark{10});

DestinationKey server_key(const char* endpoint) {
  const auto e = endpoint_from_string(endpoint);
  return {e->address, e->port};
}
const DestinationKey kA = server_key("10.0.0.1:80");
const DestinationKey kB = server_key("10.0.0.2:80");

Service service(const ServiceKey& key, std::uint32_t persistence = 0) {
  Service s;
  s.key = key;
  s.scheduler = "rr";
  s.persistent = persistence != 0;
  s.timeout = persistence;
  return s;
}

Destination weighing(const DestinationKey& key, std::uint32_t weight) {
  Destination d;
  d.key = key;
  d.weight = weight;
  return d;
}

std::uint32_t network(const char* address) { return Address::parse(address)->ipv4_network_order(); }
Endpoint web_endpoint() { return *endpoint_from_string("192.0.2.1:80"); }

// A configuration, changes of it, and what is bound to its servers.
class ForesightTest : public testing::Test {
 protected:
  void configure(const ServiceKey& key, std::uint32_t persistence = 0,
                 const std::vector<DestinationKey>& servers = {kA, kB}) {
    carry_out(before_, AddService{service(key, persistence)});
    for (const DestinationKey& s : servers) carry_out(before_, AddDestination{key, weighing(s, 1)});
  }

  static void carry_out(Configuration& configuration, const Command& command) {
    const auto fine = configuration.check(command);
    ASSERT_TRUE(fine) << fine.error().text;
    configuration.apply(command);
  }

  // The lines after `commands`, with what `entries` shows.
  void foresee(const std::vector<Command>& commands, const std::function<void(Foresight&)>& entries) {
    Configuration after = before_;
    std::vector<ServiceKey> touched;
    for (const Command& command : commands) {
      if (std::holds_alternative<Flush>(command))
        for (const auto& s : after.services()) touched.push_back(s.service.key);
      if (const auto* c = std::get_if<AddService>(&command)) touched.push_back(c->service.key);
      if (const auto* c = std::get_if<EditService>(&command)) touched.push_back(c->service.key);
      if (const auto* c = std::get_if<DeleteService>(&command)) touched.push_back(c->key);
      if (const auto* c = std::get_if<AddDestination>(&command)) touched.push_back(c->service);
      if (const auto* c = std::get_if<EditDestination>(&command)) touched.push_back(c->service);
      if (const auto* c = std::get_if<DeleteDestination>(&command)) touched.push_back(c->service);
      carry_out(after, command);
    }
    Foresight foresight(before_, after, settings_, touched);
    entries(foresight);
    services_.clear();
    servers_.clear();
    while (auto line = foresight.next()) {
      if (const auto* s = std::get_if<ServiceForesight>(&*line))
        services_.push_back(*s);
      else
        servers_.push_back(std::get<ServerForesight>(*line));
    }
  }

  // Two connections and one persistent client at A, one connection at B.
  static void usual(Foresight& f, const ServiceKey& key = kWeb) {
    f.add_connection(f.bound(key, kA), Protocol::tcp, web_endpoint(), 100);
    f.add_connection(f.bound(key, kA), Protocol::tcp, web_endpoint(), 700);
    f.add_connection(f.bound(key, kB), Protocol::tcp, web_endpoint(), 900);
    f.add_client(f.bound(key, kA), network("10.1.0.7"), ~0U, 200);
  }

  Configuration before_;
  ForesightSettings settings_;
  std::vector<ServiceForesight> services_;
  std::vector<ServerForesight> servers_;
};

TEST_F(ForesightTest, a_removed_servers_connections_strand_and_its_clients_move) {
  configure(kWeb, 300);
  foresee({DeleteDestination{kWeb, kA}}, [](Foresight& f) { usual(f); });
  ASSERT_EQ(servers_.size(), 1U);
  EXPECT_EQ(servers_[0].server, kA);
  EXPECT_FALSE(servers_[0].after);
  EXPECT_EQ(servers_[0].connections, (ConnectionFates{.strand = 2}));
  EXPECT_EQ(servers_[0].connections_last, 700U);
  EXPECT_EQ(servers_[0].clients, (ClientFates{.move = 1}));
  EXPECT_THAT(services_[0].targets, ElementsAre(kB));
  EXPECT_TRUE(services_[0].targets_change);
}

TEST_F(ForesightTest, with_expire_nodest_conn_connections_end_or_are_scheduled_anew) {
  settings_.expire_nodest_conn = true;
  configure(kMark);
  foresee({DeleteDestination{kMark, kA}}, [](Foresight& f) {
    f.add_connection(f.bound(kMark, kA), Protocol::tcp, web_endpoint(), 100);
    f.add_connection(f.bound(kMark, kA), Protocol::udp, web_endpoint(), 100);
    f.add_connection(f.bound(kMark, kA), Protocol::udp, web_endpoint(), 100);
  });
  EXPECT_EQ(servers_[0].connections, (ConnectionFates{.end = 1, .move = 2}));
}

TEST_F(ForesightTest, a_removed_service_strands_connections_and_its_clients_wait) {
  configure(kWeb, 300);
  for (const Command& command : {Command(DeleteService{kWeb}), Command(Flush{})}) {
    foresee({command}, [](Foresight& f) { usual(f); });
    ASSERT_EQ(servers_.size(), 2U);
    EXPECT_EQ(servers_[0].connections, (ConnectionFates{.strand = 2}));
    EXPECT_EQ(servers_[0].clients, (ClientFates{.wait = 1}));
    EXPECT_EQ(servers_[0].clients_last, 200U);
    EXPECT_EQ(servers_[1].connections, (ConnectionFates{.strand = 1}));
    EXPECT_FALSE(services_[0].after);
    EXPECT_TRUE(services_[0].targets_change);
  }
}

TEST_F(ForesightTest, a_server_that_comes_back_has_its_connections_and_clients_again) {
  configure(kWeb, 300, {kB});
  foresee({AddDestination{kWeb, weighing(kA, 1)}}, [](Foresight& f) { usual(f); });
  ASSERT_EQ(servers_.size(), 1U);
  EXPECT_FALSE(servers_[0].before);
  EXPECT_EQ(servers_[0].connections, (ConnectionFates{.resume = 2}));
  EXPECT_EQ(servers_[0].clients, (ClientFates{.resume = 1}));
}

TEST_F(ForesightTest, what_was_stranded_before_and_stays_so_is_not_told) {
  configure(kWeb, 300, {kB});
  foresee({EditDestination{kWeb, weighing(kB, 2)}}, [](Foresight& f) { usual(f); });
  ASSERT_EQ(servers_.size(), 1U);
  EXPECT_EQ(servers_[0].server, kB);
}

TEST_F(ForesightTest, a_quiesced_server_keeps_connections_and_persistent_clients) {
  configure(kWeb, 300);
  foresee({EditDestination{kWeb, weighing(kA, 0)}}, [](Foresight& f) { usual(f); });
  EXPECT_EQ(servers_[0].connections, (ConnectionFates{.go_on = 2}));
  EXPECT_EQ(servers_[0].clients, (ClientFates{.stay = 1}));
  EXPECT_THAT(services_[0].targets, ElementsAre(kB));
  settings_.expire_quiescent_template = true;
  foresee({EditDestination{kWeb, weighing(kA, 0)}}, [](Foresight& f) { usual(f); });
  EXPECT_EQ(servers_[0].clients, (ClientFates{.move = 1}));
}

TEST_F(ForesightTest, another_weight_or_scheduler_moves_nobody) {
  configure(kWeb, 300);
  Service other = service(kWeb, 300);
  other.scheduler = "wlc";
  foresee({EditDestination{kWeb, weighing(kA, 7)}, EditService{other}}, [](Foresight& f) { usual(f); });
  ASSERT_EQ(servers_.size(), 1U);
  EXPECT_EQ(servers_[0].connections, (ConnectionFates{.go_on = 2}));
  EXPECT_EQ(servers_[0].clients, (ClientFates{.stay = 1}));
  EXPECT_TRUE(services_[0].targets_change);
  EXPECT_EQ(services_[0].after->scheduler, "wlc");
}

TEST_F(ForesightTest, another_mask_moves_the_clients_it_does_not_find) {
  configure(kWeb, 300);
  const auto masked = [](std::uint32_t mask) {
    Service s = service(kWeb, 300);
    s.netmask = mask;
    return EditService{s};
  };
  const std::uint32_t slash24 = network("255.255.255.0");
  foresee({masked(slash24)}, [](Foresight& f) {
    f.add_client(f.bound(kWeb, kA), network("10.1.0.7"), ~0U, 9);
    f.add_client(f.bound(kWeb, kA), network("10.1.1.0"), ~0U, 9);  // asked for as 10.1.1.0: found
  });
  EXPECT_EQ(servers_[0].clients, (ClientFates{.stay = 1, .move = 1}));
  before_.apply(masked(slash24));
  foresee({masked(~0U)}, [slash24](Foresight& f) { f.add_client(f.bound(kWeb, kA), network("10.1.0.0"), slash24, 9); });
  EXPECT_EQ(servers_[0].clients, (ClientFates{.move = 1}));
}

TEST_F(ForesightTest, without_persistence_clients_are_scheduled_anew) {
  configure(kWeb, 300);
  foresee({EditService{service(kWeb)}}, [](Foresight& f) { usual(f); });
  EXPECT_EQ(servers_[0].clients, (ClientFates{.move = 1}));
  foresee({EditService{service(kWeb, 600)}}, [](Foresight& f) { usual(f); });
  EXPECT_THAT(servers_, IsEmpty());
  EXPECT_EQ(services_[0].after->timeout, 600U);
}

TEST_F(ForesightTest, a_service_that_takes_precedence_takes_the_next_connections) {
  configure(kEveryPort, 300);
  foresee({AddService{service(kWeb)}}, [](Foresight& f) {
    usual(f, kEveryPort);
    f.add_connection(f.bound(kEveryPort, kA), Protocol::tcp, *endpoint_from_string("192.0.2.1:443"), 9);
  });
  ASSERT_EQ(services_.size(), 2U);
  EXPECT_EQ(services_[0].service, kWeb);
  EXPECT_EQ(services_[0].target_count, 0U);
  EXPECT_TRUE(services_[0].targets_change);
  EXPECT_EQ(services_[1].service, kEveryPort);
  EXPECT_THAT(services_[1].taken_over, ElementsAre(TakeOver{kWeb, 3}));
  EXPECT_THAT(servers_, IsEmpty());
}

TEST_F(ForesightTest, a_removed_marks_clients_fall_to_the_service_of_their_address) {
  configure(kWeb);
  configure(kMark);
  foresee({DeleteService{kMark}}, [](Foresight& f) { usual(f, kMark); });
  EXPECT_THAT(services_[0].taken_over, ElementsAre(TakeOver{kWeb, 3}));
  EXPECT_EQ(servers_[0].connections, (ConnectionFates{.strand = 2}));
}

TEST_F(ForesightTest, of_many_changes_the_outcome_counts) {
  configure(kWeb, 300);
  foresee({Flush{}, AddService{service(kWeb, 300)}, AddDestination{kWeb, weighing(kB, 1)},
           AddDestination{kWeb, weighing(kA, 1)}},
          [](Foresight& f) { usual(f); });
  EXPECT_THAT(servers_, IsEmpty());
  EXPECT_EQ(services_.size(), 1U);
  EXPECT_TRUE(services_[0].taken_over.empty());
}

TEST_F(ForesightTest, only_the_first_targets_are_named) {
  configure(kWeb, 0, {});
  for (std::uint8_t i = 1; i <= 30; ++i)
    carry_out(before_, AddDestination{kWeb, weighing(server_key(("10.0.1." + std::to_string(i) + ":80").c_str()), 1)});
  foresee({AddDestination{kWeb, weighing(kA, 1)}}, [](Foresight&) {});
  EXPECT_EQ(services_[0].target_count, 31U);
  EXPECT_EQ(services_[0].targets.size(), kTargetsNamed);
}

}  // namespace
}  // namespace limpet
