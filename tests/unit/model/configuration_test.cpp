// SPDX-License-Identifier: Apache-2.0
// Which changes IPVS accepts, what it says to the others, and what the accepted ones do.
#include "model/configuration.h"

#include <gtest/gtest.h>

#include <set>

namespace limpet {
namespace {

ServiceKey key(const char* name) { return *ServiceKey::parse(name); }

Service service(const char* name) {
  Service result;
  result.key = key(name);
  return result;
}

Destination server(const char* endpoint) {
  const auto parsed = *endpoint_from_string(endpoint);
  Destination result;
  result.key = {parsed.address, parsed.port};
  return result;
}

class ConfigurationTest : public testing::Test {
 protected:
  // nullopt: accepted, and applied.
  std::optional<ErrorCode> run(const Command& command) {
    const auto checked = configuration.check(command);
    if (!checked) return checked.error().code;
    configuration.apply(command);
    return std::nullopt;
  }
  void accept(const Command& command) { ASSERT_EQ(run(command), std::nullopt); }

  Configuration configuration;
};

TEST_F(ConfigurationTest, an_existing_service_is_reported_before_its_scheduler_is_looked_at) {
  accept(AddService{service("tcp/192.0.2.1:80")});
  auto again = service("tcp/192.0.2.1:80");
  again.scheduler = "nosuch";
  EXPECT_EQ(run(AddService{again}), ErrorCode::service_exists);
  again.key.port.value = 81;
  EXPECT_EQ(run(AddService{again}), ErrorCode::scheduler_not_found);
}

TEST_F(ConfigurationTest, a_scheduler_without_a_name_is_unknown) {
  auto nameless = service("tcp/192.0.2.1:80");
  nameless.scheduler = "";
  EXPECT_EQ(run(AddService{nameless}), ErrorCode::scheduler_not_found);
}

TEST_F(ConfigurationTest, the_only_persistence_engine_is_sip) {
  auto phones = service("udp/192.0.2.1:5060");
  phones.persistence_engine = "nosuch";
  EXPECT_EQ(run(AddService{phones}), ErrorCode::scheduler_not_found);
  phones.persistence_engine = "sip";
  accept(AddService{phones});
}

TEST_F(ConfigurationTest, an_ipv6_netmask_is_a_prefix_length) {
  auto wide = service("tcp/[2001:db8::1]:80");
  EXPECT_EQ(run(AddService{wide}), ErrorCode::invalid);  // the IPv4 default of 0xffffffff
  wide.netmask = 128;
  accept(AddService{wide});
}

TEST_F(ConfigurationTest, port_0_needs_persistence) {
  auto every_port = service("tcp/192.0.2.1:0");
  EXPECT_EQ(run(AddService{every_port}), ErrorCode::invalid);
  every_port.persistent = true;
  EXPECT_EQ(run(AddService{every_port}), ErrorCode::invalid);  // without a timeout
  every_port.timeout = kMaxTimeoutSeconds;
  accept(AddService{every_port});
  every_port.timeout = kMaxTimeoutSeconds + 1;
  EXPECT_EQ(run(EditService{every_port}), ErrorCode::invalid);
}

TEST_F(ConfigurationTest, what_is_not_there_cannot_be_changed) {
  const auto absent = key("tcp/192.0.2.1:80");
  EXPECT_EQ(run(EditService{service("tcp/192.0.2.1:80")}), ErrorCode::no_such_service);
  EXPECT_EQ(run(DeleteService{absent}), ErrorCode::no_such_service);
  EXPECT_EQ(run(Zero{absent}), ErrorCode::no_such_service);
  EXPECT_EQ(run(AddDestination{absent, server("192.0.2.20:80")}), ErrorCode::service_not_defined);
  EXPECT_EQ(run(EditDestination{absent, server("192.0.2.20:80")}), ErrorCode::service_not_defined);
  EXPECT_EQ(run(DeleteDestination{absent, server("192.0.2.20:80").key}), ErrorCode::service_not_defined);
  accept(AddService{service("tcp/192.0.2.1:80")});
  EXPECT_EQ(run(EditDestination{absent, server("192.0.2.20:80")}), ErrorCode::no_such_destination);
  EXPECT_EQ(run(DeleteDestination{absent, server("192.0.2.20:80").key}), ErrorCode::no_such_destination);
  EXPECT_EQ(run(Zero{absent}), std::nullopt);
  EXPECT_EQ(run(Zero{}), std::nullopt);
}

TEST_F(ConfigurationTest, a_server_is_named_by_address_and_port_whatever_its_method) {
  const auto web = key("tcp/192.0.2.1:80");
  accept(AddService{service("tcp/192.0.2.1:80")});
  accept(AddDestination{web, server("192.0.2.20:80")});
  auto again = server("192.0.2.20:80");
  again.method = ForwardingMethod::masq;
  EXPECT_EQ(run(AddDestination{web, again}), ErrorCode::destination_exists);
  again.key.port.value = 8080;
  accept(AddDestination{web, again});
}

TEST_F(ConfigurationTest, a_server_must_be_unicast_or_local) {
  const auto web = key("tcp/192.0.2.1:80");
  accept(AddService{service("tcp/192.0.2.1:80")});
  for (const auto* wrong : {"0.0.0.0:80", "224.0.0.1:80", "240.0.0.1:80", "255.255.255.255:80"}) {
    EXPECT_EQ(run(AddDestination{web, server(wrong)}), ErrorCode::invalid) << wrong;
  }
  accept(AddDestination{web, server("127.0.0.1:80")});

  auto wide = service("tcp/[2001:db8::1]:80");
  wide.netmask = 128;
  accept(AddService{wide});
  for (const auto* wrong : {"[::]:80", "[ff02::1]:80", "[fe80::1]:80", "[::ffff:192.0.2.1]:80"}) {
    EXPECT_EQ(run(AddDestination{wide.key, server(wrong)}), ErrorCode::invalid) << wrong;
  }
  accept(AddDestination{wide.key, server("[::1]:80")});
}

TEST_F(ConfigurationTest, only_a_tunnel_leads_to_the_other_family) {
  const auto web = key("tcp/192.0.2.1:80");
  accept(AddService{service("tcp/192.0.2.1:80")});
  auto other = server("[2001:db8::20]:80");
  EXPECT_EQ(run(AddDestination{web, other}), ErrorCode::invalid);
  other.method = ForwardingMethod::tunnel;
  accept(AddDestination{web, other});
}

TEST_F(ConfigurationTest, the_lower_threshold_is_at_most_the_upper_one) {
  const auto web = key("tcp/192.0.2.1:80");
  accept(AddService{service("tcp/192.0.2.1:80")});
  auto limited = server("192.0.2.20:80");
  limited.lower_threshold = 5;
  EXPECT_EQ(run(AddDestination{web, limited}), ErrorCode::out_of_range);
  limited.upper_threshold = 5;
  accept(AddDestination{web, limited});
  limited.weight = kMaxWeight + 1;
  EXPECT_EQ(run(EditDestination{web, limited}), ErrorCode::out_of_range);
}

TEST_F(ConfigurationTest, services_and_servers_come_newest_first_and_edits_keep_their_places) {
  const auto web = key("tcp/192.0.2.1:80");
  accept(AddService{service("tcp/192.0.2.1:80")});
  accept(AddService{service("fwm/10")});
  EXPECT_EQ(configuration.services().front().service.key, key("fwm/10"));

  accept(AddDestination{web, server("192.0.2.20:80")});
  accept(AddDestination{web, server("192.0.2.30:80")});
  accept(AddDestination{web, server("192.0.2.40:80")});
  auto heavier = server("192.0.2.30:80");
  heavier.weight = 5;
  accept(EditDestination{web, heavier});
  auto edited = service("tcp/192.0.2.1:80");
  edited.scheduler = "rr";
  accept(EditService{edited});
  accept(DeleteDestination{web, server("192.0.2.40:80").key});

  const auto* found = configuration.find(web);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->service.scheduler, "rr");
  EXPECT_EQ(found->destinations, (std::vector{heavier, server("192.0.2.20:80")}));
  EXPECT_EQ(configuration.services().back().service.key, web);
}

TEST_F(ConfigurationTest, a_timeout_of_0_leaves_the_old_one) {
  accept(SetTimeouts{{10, 0, 30}});
  EXPECT_EQ(configuration.timeouts(), (Timeouts{10, 120, 30}));
  accept(SetTimeouts{{0, 0, 0}});
  EXPECT_EQ(configuration.timeouts(), (Timeouts{10, 120, 30}));
  EXPECT_EQ(run(SetTimeouts{{kMaxTimeoutSeconds + 1, 1, 1}}), ErrorCode::invalid);
}

TEST_F(ConfigurationTest, settings_are_taken_all_or_none) {
  EXPECT_EQ(run(SetTunables{{{"sloppy_tcp", "1"}, {"nonesuch", "1"}}}), ErrorCode::no_such_setting);
  EXPECT_EQ(configuration.tunables(), Tunables());
  accept(SetTunables{{{"sloppy_tcp", "1"}, {"sloppy_tcp", "2"}}});
  EXPECT_EQ(configuration.tunables()[tunable("sloppy_tcp")], 2);
}

TEST_F(ConfigurationTest, a_flush_keeps_the_timeouts_and_settings) {
  accept(SetTunables{{{"sloppy_tcp", "1"}}});
  accept(AddService{service("tcp/192.0.2.1:80")});
  accept(SetTimeouts{{10, 20, 30}});
  accept(Flush{});
  EXPECT_TRUE(configuration.services().empty());
  EXPECT_EQ(configuration.find(key("tcp/192.0.2.1:80")), nullptr);
  EXPECT_EQ(configuration.timeouts(), (Timeouts{10, 20, 30}));
  EXPECT_EQ(configuration.tunables()[tunable("sloppy_tcp")], 1);
}

TEST_F(ConfigurationTest, a_copy_is_independent) {
  accept(AddService{service("tcp/192.0.2.1:80")});
  auto copy = configuration;
  EXPECT_EQ(copy, configuration);
  copy.apply(AddDestination{key("tcp/192.0.2.1:80"), server("192.0.2.20:80")});
  EXPECT_TRUE(configuration.find(key("tcp/192.0.2.1:80"))->destinations.empty());
  copy.apply(DeleteService{key("tcp/192.0.2.1:80")});
  EXPECT_NE(configuration.find(key("tcp/192.0.2.1:80")), nullptr);
  configuration = copy;
  EXPECT_EQ(configuration.find(key("tcp/192.0.2.1:80")), nullptr);
}

TEST_F(ConfigurationTest, ten_thousand_services_with_ten_servers_each_are_built_and_emptied) {
  for (std::uint32_t mark = 1; mark <= 10000; ++mark) {
    Service many;
    many.key = ServiceKey::of_mark(Mark{mark});
    accept(AddService{many});
    for (std::uint32_t host = 1; host <= 10; ++host) {
      Destination one;
      one.key = {Address::ipv4(0x0a + (host << 24)), Port{80}};
      accept(AddDestination{many.key, one});
    }
  }
  for (std::uint32_t mark = 1; mark <= 10000; ++mark) accept(DeleteService{ServiceKey::of_mark(Mark{mark})});
  EXPECT_TRUE(configuration.services().empty());
}

TEST_F(ConfigurationTest, a_sync_daemon_runs_once_in_each_role) {
  EXPECT_EQ(run(StopSyncDaemon{SyncRole::master}), ErrorCode::no_sync_daemon);
  accept(StartSyncDaemon{{.role = SyncRole::backup}});
  accept(StartSyncDaemon{{.role = SyncRole::master}});
  EXPECT_EQ(run(StartSyncDaemon{{.role = SyncRole::master}}), ErrorCode::sync_daemon_runs);
  ASSERT_EQ(configuration.sync_daemons().size(), 2u);
  EXPECT_EQ(configuration.sync_daemons().front().role, SyncRole::master);
  accept(StopSyncDaemon{SyncRole::master});
  ASSERT_EQ(configuration.sync_daemons().size(), 1u);
  EXPECT_EQ(configuration.sync_daemons().front().role, SyncRole::backup);
  EXPECT_EQ(run(StartSyncDaemon{{.group = *Address::parse("192.0.2.1")}}), ErrorCode::invalid);
}

// start_sync_thread(): families, then the interface, then whether one runs.
TEST_F(ConfigurationTest, a_sync_daemon_asks_for_its_interface_before_it_asks_whether_it_runs) {
  const SyncDaemon master;
  accept(StartSyncDaemon{master});
  EXPECT_EQ(configuration.ready(master, std::nullopt).error().code, ErrorCode::no_such_device);
  EXPECT_EQ(configuration.ready(master, 1500).error().code, ErrorCode::sync_daemon_runs);
  accept(StopSyncDaemon{SyncRole::master});
  accept(AddService{service("tcp/192.0.2.1:80")});
  auto tunnel = server("[2001:db8::1]:80");
  tunnel.method = ForwardingMethod::tunnel;
  accept(AddDestination{key("tcp/192.0.2.1:80"), tunnel});
  EXPECT_EQ(configuration.ready(master, std::nullopt).error().code, ErrorCode::invalid);
}

// As Linux 6.1 lists them.
TEST_F(ConfigurationTest, a_sync_message_fits_the_interface_unless_its_length_is_given) {
  const auto length = [&](SyncDaemon daemon, std::uint32_t mtu) {
    return configuration.ready(daemon, mtu)->max_length;
  };
  const SyncDaemon master;
  const SyncDaemon backup{.role = SyncRole::backup};
  SyncDaemon six;
  six.group = *Address::parse("ff02::1");
  EXPECT_EQ(length(master, 9000), 1472);
  EXPECT_EQ(length(six, 9000), 1452);
  EXPECT_EQ(length(backup, 9000), 8972);
  EXPECT_EQ(length(backup, 1280), 1472);
  EXPECT_EQ(length({.max_length = 1}, 1500), 1);
  EXPECT_EQ(length({.role = SyncRole::backup, .max_length = 1}, 1500), 1024);
  six.max_length = 65507;
  EXPECT_EQ(length(six, 1500), 65487);
}

TEST_F(ConfigurationTest, while_a_sync_daemon_runs_a_server_has_its_services_family) {
  accept(AddService{service("tcp/192.0.2.1:80")});
  accept(StartSyncDaemon{{}});
  auto tunnel = server("[2001:db8::1]:80");
  tunnel.method = ForwardingMethod::tunnel;
  EXPECT_EQ(run(AddDestination{key("tcp/192.0.2.1:80"), tunnel}), ErrorCode::invalid);
  EXPECT_EQ(run(EditDestination{key("tcp/192.0.2.1:80"), tunnel}), ErrorCode::invalid)
      << "and not that it is not there";
  accept(StopSyncDaemon{SyncRole::master});
  accept(AddDestination{key("tcp/192.0.2.1:80"), tunnel});
}

// Names that follow a pattern, as administrators give them, in either half of an address.
TEST(ServiceKeyHashTest, scatters_names_that_follow_a_pattern) {
  constexpr unsigned kEach = 64;
  for (const char* pattern : {"10.0.{}.1", "10.{}.0.1", "10.0.0.{}", "2001:db8:{}::1", "2001:db8::{}"}) {
    std::set<std::size_t> hashes;
    for (unsigned address = 1; address <= kEach; ++address) {
      std::string text = pattern;
      text.replace(text.find("{}"), 2, std::to_string(address));
      for (std::uint16_t port = 8192; port < 8192 + kEach; ++port)
        hashes.insert(ServiceKeyHash{}(ServiceKey::of_address(Protocol::tcp, *Address::parse(text), Port{port})));
    }
    EXPECT_GT(hashes.size(), kEach * kEach * 99 / 100) << pattern;
  }
}

}  // namespace
}  // namespace limpet
