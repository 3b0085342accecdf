// SPDX-License-Identifier: Apache-2.0
// Which rules of the administrator's are met by which of ours, and where.
#include "network/transparent_proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "network/mark_rules.h"

namespace limpet::network {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr int kLimpet0 = 7;
constexpr std::uint32_t kBeside100 = 0x4c500000U ^ 100U;
const std::string kLookup = " lookup " + std::to_string(kBeside100);

Rule rule(std::uint32_t priority, std::uint32_t mark, std::uint32_t mask, std::uint32_t table) {
  Rule out;
  out.priority = priority;
  out.action = FR_ACT_TO_TBL;
  out.table = table;
  out.mark = mark;
  out.mask = mask;
  out.protocol = RTPROT_BOOT;
  return out;
}

Prefix network(const std::string& address, std::uint8_t length) { return {*Address::parse(address), length}; }

Route route(const Prefix& to, std::uint8_t type, std::uint32_t table) {
  return {.prefix = to, .interface = 1, .table = table, .type = type};
}

const Prefix kEverything = network("0.0.0.0", 0);

std::map<std::uint32_t, std::vector<Route>> all_is_local_in_100() {
  return {{100, {route(kEverything, RTN_LOCAL, 100)}}};
}

std::vector<std::string> texts(const std::vector<Rule>& rules) {
  std::vector<std::string> out;
  for (const Rule& each : rules) out.push_back(each.to_string());
  return out;
}

TEST(TransparentProxy, a_lead_stands_right_before_the_administrators_rule) {
  const auto found = find_transparent_proxies({rule(1000, 1, 0xffffffff, 100)}, all_is_local_in_100(), {1}, kLimpet0);
  EXPECT_THAT(texts(found.leads), ElementsAre("pref 999 iif lo fwmark 0x1/0xffffffff lookup 100",
                                              "pref 999 fwmark 0x1/0xffffffff" + kLookup))
      << "the host's own packets go on as they did";
  EXPECT_THAT(texts(found.deliveries), ElementsAre("pref 0 iif limpet1 fwmark 0x1/0xffffffff lookup 100"));
  EXPECT_THAT(found.tables, ElementsAre(Pair(kBeside100, OwnRoutes{{kEverything, kLimpet0}})));
  EXPECT_THAT(found.hazards, IsEmpty());
  for (const Rule& lead : found.leads) EXPECT_TRUE(is_lead(lead));
  EXPECT_FALSE(is_lead(found.deliveries.front()));
}

TEST(TransparentProxy, only_marks_of_services_are_led) {
  const auto with_marks = [](std::uint32_t mark, std::uint32_t mask, std::set<std::uint32_t> marks) {
    auto all =
        texts(find_transparent_proxies({rule(1000, mark, mask, 100)}, all_is_local_in_100(), marks, kLimpet0).leads);
    if (!all.empty()) all.erase(all.begin());
    return all;
  };
  EXPECT_THAT(with_marks(2, 0xffffffff, {1}), IsEmpty());
  EXPECT_THAT(with_marks(0x100, 0xff00, {0x101, 0x205}), ElementsAre("pref 999 fwmark 0x101/0xffffffff" + kLookup));
  EXPECT_THAT(with_marks(2, 2, {2, 3}), ElementsAre("pref 999 fwmark 0x2/0xfffffffe" + kLookup)) << "gathered marks";
  EXPECT_THAT(with_marks(3, 1, {1}), ElementsAre("pref 999 fwmark 0x1/0xffffffff" + kLookup))
      << "bits outside the mask do not count";
}

TEST(TransparentProxy, with_more_marks_than_rules_may_be_walked_all_that_the_rule_means_is_led) {
  std::set<std::uint32_t> marks;
  for (std::uint32_t i = 1; i <= 2 * kRulesWalked; ++i) marks.insert(0x80000000 | 0x7654321 * i);
  const auto found =
      find_transparent_proxies({rule(1000, 0x80000000, 0x80000000, 100)}, all_is_local_in_100(), marks, kLimpet0);
  EXPECT_THAT(texts(found.leads), ElementsAre("pref 999 iif lo fwmark 0x80000000/0x80000000 lookup 100",
                                              "pref 999 fwmark 0x80000000/0x80000000" + kLookup));
  EXPECT_EQ(found.deliveries.size(), 1U);
}

TEST(TransparentProxy, an_interface_stays_a_condition_of_the_lead_and_not_of_the_delivery) {
  Rule narrowed = rule(1000, 1, 0xffffffff, 100);
  narrowed.input_interface = "eth0";
  const auto found = find_transparent_proxies({narrowed}, all_is_local_in_100(), {1}, kLimpet0);
  EXPECT_THAT(texts(found.leads), ElementsAre("pref 999 iif eth0 fwmark 0x1/0xffffffff" + kLookup));
  EXPECT_EQ(found.deliveries.at(0).input_interface, "limpet1");
}

TEST(TransparentProxy, a_lead_that_another_rule_has_come_behind_is_added_anew) {
  const Rule his = rule(1000, 1, 0xffffffff, 100);
  const Rule other = rule(999, 0, 0, 200);
  const auto leads = find_transparent_proxies({his}, all_is_local_in_100(), {1}, kLimpet0).leads;
  EXPECT_EQ(leads_to_add(leads, {his}), leads);
  EXPECT_THAT(leads_to_add(leads, {other, leads[0], leads[1], his}), IsEmpty());
  EXPECT_EQ(leads_to_add(leads, {leads[0], leads[1], other, his}), leads);
  EXPECT_EQ(leads_to_add(leads, {leads[1], his}), leads) << "those of one preference keep their order";
}

TEST(TransparentProxy, what_is_not_local_there_is_looked_for_on) {
  const Prefix inside = network("10.0.0.0", 8);
  const Prefix one = network("203.0.113.5", 32);
  const std::map<std::uint32_t, std::vector<Route>> tables = {
      {100, {route(inside, RTN_UNICAST, 100), route(kEverything, RTN_LOCAL, 100)}},
      {200, {route(one, RTN_LOCAL, 200)}},
      {300, {route(kEverything, RTN_UNICAST, 300)}}};
  const auto found = find_transparent_proxies(
      {rule(1000, 1, 0xffffffff, 100), rule(1001, 2, 0xffffffff, 200), rule(1002, 3, 0xffffffff, 300)}, tables,
      {1, 2, 3}, kLimpet0);
  EXPECT_THAT(found.tables,
              UnorderedElementsAre(Pair(kBeside100, OwnRoutes{{inside, kNowhere}, {kEverything, kLimpet0}}),
                                   Pair(0x4c500000U ^ 200U, OwnRoutes{{one, kLimpet0}})));
}

TEST(TransparentProxy, of_a_long_table_only_what_lies_in_a_local_prefix_matters) {
  const Prefix one = network("203.0.113.5", 32);
  const Prefix far = network("10.0.0.0", 8);
  const std::vector<Route> routes = {route(far, RTN_UNICAST, 100), route(one, RTN_LOCAL, 100)};
  const auto found = find_transparent_proxies({rule(1000, 1, 0xffffffff, 100)}, {{100, routes}}, {1}, kLimpet0);
  EXPECT_THAT(found.tables, ElementsAre(Pair(kBeside100, OwnRoutes{{one, kLimpet0}})));
  EXPECT_FALSE(needs_all_routes({routes[1]}));
  EXPECT_TRUE(needs_all_routes({route(far, RTN_LOCAL, 100)}));
  EXPECT_FALSE(needs_all_routes({}));
}

TEST(TransparentProxy, tables_of_the_kernel_and_rules_of_ours_are_not_looked_at) {
  Rule ours = rule(999, 1, 0xffffffff, 500);
  ours.protocol = kRouteProtocol;
  Rule own_packets = rule(10, 1, 0xffffffff, 600);
  own_packets.input_interface = "lo";
  Rule prohibits = rule(11, 1, 0xffffffff, 0);
  prohibits.action = FR_ACT_PROHIBIT;
  const std::vector<Rule> rules = {rule(0, 0, 0, RT_TABLE_LOCAL),
                                   ours,
                                   own_packets,
                                   prohibits,
                                   rule(1000, 1, 0xffffffff, 100),
                                   rule(32766, 0, 0, RT_TABLE_MAIN),
                                   rule(32767, 0, 0, RT_TABLE_DEFAULT)};
  EXPECT_THAT(tables_to_read(rules, {1}), ElementsAre(100));
}

TEST(TransparentProxy, only_tables_of_rules_for_marks_of_services_are_read) {
  const std::vector<Rule> rules = {rule(1000, 1, 0xffffffff, 100), rule(1001, 0x200, 0xf00, 200),
                                   rule(1002, 0, 0, 300)};
  EXPECT_THAT(tables_to_read(rules, {1}), ElementsAre(100));
  EXPECT_THAT(tables_to_read(rules, {1, 0x20a}), ElementsAre(100, 200));
  EXPECT_THAT(tables_to_read(rules, {7}), IsEmpty());
  EXPECT_THAT(tables_to_read(rules, {}), IsEmpty());
}

TEST(TransparentProxy, a_rule_that_cannot_be_met_is_said_if_it_is_for_a_mark_of_a_service) {
  Rule narrowed = rule(1000, 1, 0xffffffff, 100);
  narrowed.narrowed_otherwise = true;
  const auto hazards = [](const Rule& each, std::set<std::uint32_t> marks) {
    const auto found = find_transparent_proxies({each}, all_is_local_in_100(), marks, kLimpet0);
    EXPECT_THAT(found.leads, IsEmpty());
    EXPECT_THAT(found.deliveries, IsEmpty());
    return found.hazards;
  };
  EXPECT_THAT(hazards(narrowed, {1, 5}), ElementsAre(HasSubstr("selectors other than")));
  EXPECT_THAT(hazards(rule(0, 1, 0xffffffff, 100), {1}), ElementsAre(HasSubstr("preference above 1")));
  EXPECT_THAT(hazards(rule(1, 1, 0xffffffff, 100), {1}), ElementsAre(HasSubstr("preference above 1")));
  EXPECT_THAT(hazards(narrowed, {2}), IsEmpty());
  narrowed.inverted = true;
  EXPECT_THAT(hazards(narrowed, {1}), IsEmpty());
  EXPECT_THAT(hazards(rule(1000, 0, 0, 100), {1}), IsEmpty()) << "a VRF's, say";
}

TEST(TransparentProxy, deliveries_come_between_what_is_local_and_the_end_of_what_came_out_of_limpet1) {
  MarkPathPlan plan;
  plan.marks = {1};
  const auto found = find_transparent_proxies({rule(1000, 1, 0xffffffff, 100)}, all_is_local_in_100(), {1}, kLimpet0);
  EXPECT_THAT(texts(mark_rules(plan, kDefaultMarkTable, found.deliveries)),
              ElementsAre("pref 0 iif lo lookup local", "pref 0 iif limpet0 lookup local",
                          "pref 0 iif limpet1 lookup local", "pref 0 iif limpet1 fwmark 0x1/0xffffffff lookup 100",
                          "pref 0 iif limpet1 blackhole", "pref 0 fwmark 0x1/0xffffffff lookup 19536"));
}

}  // namespace
}  // namespace limpet::network
