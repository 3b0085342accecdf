// SPDX-License-Identifier: Apache-2.0
// What the data plane carries, and that everything else is refused by name.
#include "model/carried.h"

#include <gtest/gtest.h>

namespace limpet {
namespace {

Service web() {
  Service service;
  service.key = *ServiceKey::parse("tcp/192.0.2.1:80");
  return service;
}

std::string refusal(const Command& command) {
  const auto result = carried(command);
  if (result) return "";
  EXPECT_EQ(result.error().code, ErrorCode::not_supported);
  return result.error().text;
}

TEST(Carried, are_ipv4_services_of_tcp_udp_and_marks_with_every_scheduler) {
  for (const auto* name : {"tcp/192.0.2.1:80", "udp/192.0.2.1:53", "fwm/10"}) {
    for (const auto* scheduler :
         {"rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf", "dh", "sh", "mh", "lblc", "lblcr", "twos", "maglev"}) {
      auto service = web();
      service.key = *ServiceKey::parse(name);
      service.scheduler = scheduler;
      service.persistent = true;
      service.timeout = 360;
      service.netmask = 0x00ffffff;
      service.scheduler_flags = sched_flag_1 | sched_flag_2 | sched_flag_3;
      EXPECT_EQ(refusal(AddService{service}), "");
    }
  }
}

TEST(Carried, a_refusal_names_the_feature_and_the_service) {
  auto service = web();
  service.scheduler = "none";
  EXPECT_EQ(refusal(AddService{service}), "limpet cannot carry the scheduler none yet: tcp/192.0.2.1:80");
  EXPECT_EQ(refusal(EditService{service}), "limpet cannot carry the scheduler none yet: tcp/192.0.2.1:80");
  service = web();
  service.one_packet = true;
  EXPECT_EQ(refusal(AddService{service}), "");
  service = web();
  service.persistence_engine = "sip";
  EXPECT_EQ(refusal(AddService{service}), "limpet cannot carry the persistence engine sip yet: tcp/192.0.2.1:80");
  service.key = *ServiceKey::parse("fwm6/10");
  EXPECT_EQ(refusal(AddService{service}), "limpet cannot carry IPv6 yet: fwm6/10");
  service.key = *ServiceKey::parse("sctp/192.0.2.1:80");
  EXPECT_EQ(refusal(AddService{service}), "limpet cannot carry SCTP yet: sctp/192.0.2.1:80");
}

TEST(Carried, are_servers_behind_masq_and_route) {
  const auto key = web().key;
  Destination server;
  server.key = {*Address::parse("192.0.2.20"), Port{80}};
  EXPECT_EQ(refusal(AddDestination{key, server}), "");
  server.method = ForwardingMethod::masq;
  EXPECT_EQ(refusal(EditDestination{key, server}), "");
  server.method = ForwardingMethod::tunnel;
  EXPECT_EQ(refusal(AddDestination{key, server}), "limpet cannot carry tunnels yet: 192.0.2.20:80 of tcp/192.0.2.1:80");
  server.method = ForwardingMethod::route;
  server.upper_threshold = 3;
  EXPECT_EQ(refusal(AddDestination{key, server}), "");
}

TEST(Carried, is_every_way_of_taking_something_away) {
  const auto key = *ServiceKey::parse("fwm6/10");
  EXPECT_EQ(refusal(DeleteService{key}), "");
  EXPECT_EQ(refusal(DeleteDestination{key, {*Address::parse("::1"), Port{80}}}), "");
  EXPECT_EQ(refusal(Flush{}), "");
  EXPECT_EQ(refusal(Zero{}), "");
  EXPECT_EQ(refusal(SetTimeouts{}), "");
}

TEST(Carried, leaves_unknown_schedulers_to_the_configuration) {
  auto service = web();
  service.scheduler = "nosuch";
  EXPECT_EQ(refusal(AddService{service}), "");
}

}  // namespace
}  // namespace limpet
