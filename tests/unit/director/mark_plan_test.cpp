// SPDX-License-Identifier: Apache-2.0
// Which first packets have to come through netfilter, as services come and go.
#include "director/mark_plan.h"

#include <gmock/gmock.h>

namespace limpet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ServiceKey key(const char* name) { return *ServiceKey::parse(name); }
Address address(const char* text) { return *Address::parse(text); }

TEST(MarkPlan, address_services_alone_need_no_netfilter) {
  MarkPlan plan(false);
  plan.add(key("tcp/192.0.2.1:80"));
  EXPECT_FALSE(plan.plan().active());
}

TEST(MarkPlan, a_mark_service_leads_its_mark) {
  MarkPlan plan(false);
  plan.add(key("fwm/10"));
  plan.add(key("fwm/4294967295"));
  EXPECT_THAT(plan.plan().marks, ElementsAre(10u, 4294967295u));
  EXPECT_THAT(plan.plan().deferred_addresses, IsEmpty());
}

// A mark wins over an address, and only netfilter knows the mark.
TEST(MarkPlan, while_there_is_a_mark_service_every_address_is_deferred) {
  MarkPlan plan(false);
  plan.add(key("tcp/192.0.2.1:80"));
  plan.add(key("fwm/10"));
  plan.add(key("udp/192.0.2.2:53"));
  EXPECT_THAT(plan.plan().deferred_addresses, ElementsAre(address("192.0.2.1"), address("192.0.2.2")));
  plan.remove(key("fwm/10"));
  EXPECT_FALSE(plan.plan().active());
}

TEST(MarkPlan, the_last_of_several_mark_services_ends_it) {
  MarkPlan plan(false);
  plan.add(key("tcp/192.0.2.1:80"));
  plan.add(key("fwm/10"));
  plan.add(key("fwm/11"));
  plan.remove(key("fwm/10"));
  EXPECT_THAT(plan.plan().marks, ElementsAre(11u));
  EXPECT_THAT(plan.plan().deferred_addresses, ElementsAre(address("192.0.2.1")));
}

TEST(MarkPlan, an_address_is_deferred_until_its_last_service_goes) {
  MarkPlan plan(false);
  plan.add(key("fwm/10"));
  plan.add(key("tcp/192.0.2.1:80"));
  plan.add(key("tcp/192.0.2.1:443"));
  plan.add(key("udp/192.0.2.1:80"));
  plan.remove(key("tcp/192.0.2.1:80"));
  plan.remove(key("udp/192.0.2.1:80"));
  EXPECT_THAT(plan.plan().deferred_addresses, ElementsAre(address("192.0.2.1")));
  plan.remove(key("tcp/192.0.2.1:443"));
  EXPECT_THAT(plan.plan().deferred_addresses, IsEmpty());
}

TEST(MarkPlan, with_first_packets_netfilter_addresses_are_deferred_without_any_mark) {
  MarkPlan plan(true);
  EXPECT_FALSE(plan.plan().active());
  plan.add(key("tcp/192.0.2.1:80"));
  EXPECT_THAT(plan.plan().deferred_addresses, ElementsAre(address("192.0.2.1")));
  EXPECT_THAT(plan.plan().marks, IsEmpty());
}

TEST(MarkPlan, leaves_ipv6_services_out) {
  MarkPlan plan(true);
  plan.add(key("fwm6/10"));
  plan.add(key("tcp/[2001:db8::1]:80"));
  EXPECT_FALSE(plan.plan().active());
  plan.add(key("fwm/10"));
  plan.remove(key("fwm6/10"));
  EXPECT_THAT(plan.plan().marks, ElementsAre(10u)) << "the other family's mark is another service";
}

TEST(MarkPlan, removing_what_is_not_there_changes_nothing) {
  MarkPlan plan(true);
  plan.add(key("tcp/192.0.2.1:80"));
  const auto before = plan.plan();
  plan.remove(key("tcp/192.0.2.2:80"));
  plan.remove(key("fwm/10"));
  EXPECT_EQ(plan.plan(), before);
}

}  // namespace
}  // namespace limpet
