// SPDX-License-Identifier: Apache-2.0
// The rules at preference 0: their order, and every moment on the way from one list to another.
#include "network/mark_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>

namespace limpet::network {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kTable = kDefaultMarkTable;

Rule lookup(std::uint32_t priority, std::uint32_t table) {
  Rule rule;
  rule.priority = priority;
  rule.action = FR_ACT_TO_TBL;
  rule.table = table;
  rule.protocol = RTPROT_KERNEL;
  return rule;
}

Rule local_rule() { return lookup(0, RT_TABLE_LOCAL); }

std::vector<Rule> as_after_boot() {
  return {local_rule(), lookup(32766, RT_TABLE_MAIN), lookup(32767, RT_TABLE_DEFAULT)};
}

MarkPathPlan marks(std::set<std::uint32_t> values) {
  MarkPathPlan plan;
  plan.marks = std::move(values);
  return plan;
}

std::vector<std::string> at_preference_0(const std::vector<Rule>& rules) {
  std::vector<std::string> texts;
  for (const Rule& rule : rules) {
    if (rule.priority == 0) texts.push_back(rule.to_string().substr(std::string("pref 0 ").size()));
  }
  return texts;
}

bool has_local_rule(const std::vector<Rule>& rules) {
  return std::find(rules.begin(), rules.end(), local_rule()) != rules.end();
}

// The tables in which a packet with this mark from a network card is looked for, in their order.
std::vector<std::uint32_t> tables_asked(const std::vector<Rule>& rules, std::uint32_t mark) {
  std::vector<std::uint32_t> tables;
  for (auto rule = rules.begin(); rule != rules.end(); ++rule) {
    if (!rule->input_interface.empty()) continue;
    if (rule->mask != 0 && (mark & rule->mask) != rule->mark) continue;
    if (rule->action == FR_ACT_TO_TBL) tables.push_back(rule->table);
    if (rule->action != FR_ACT_GOTO) continue;
    const auto target =
        std::find_if(rule, rules.end(), [&](const Rule& other) { return other.priority == rule->target; });
    if (target != rules.end()) rule = target - 1;
  }
  return tables;
}

// Whether such a packet, to an address of this host, is led to limpet0.
bool is_led_away(const std::vector<Rule>& rules, std::uint32_t mark) {
  return tables_asked(rules, mark).front() == kTable;
}

// What no mask holds together: more of them than are walked.
MarkPathPlan many_marks(std::uint32_t first = 0) {
  MarkPathPlan plan;
  for (std::uint32_t i = 0; i <= kRulesWalked; ++i) plan.marks.insert(first + (0x10001U << i % 16) + 0x7654321 * i);
  return plan;
}

std::size_t rules_walked(const std::vector<Rule>& rules, std::uint32_t mark) {
  std::size_t count = 0;
  for (const Rule& rule : rules) {
    ++count;
    if (rule.action == FR_ACT_GOTO && mark == 0) return count;
    if (rule.priority != 0) break;
  }
  return count;
}

std::vector<Rule> after(std::vector<Rule> rules, const std::vector<RuleStep>& steps) {
  for (const RuleStep& step : steps) carry_out(step, rules);
  return rules;
}

std::vector<RuleStep> steps(const std::vector<Rule>& from, const MarkPathPlan& to) {
  return rule_steps(from, mark_rules(to, kTable)).value();
}

std::vector<Rule> with(const MarkPathPlan& plan, const std::vector<Rule>& rules = as_after_boot()) {
  return after(rules, steps(rules, plan));
}

TEST(MarkRules, ours_come_before_the_local_rule) {
  EXPECT_THAT(at_preference_0(with(marks({10, 11}))),
              ElementsAre("iif lo lookup local", "iif limpet0 lookup local", "iif limpet1 lookup local",
                          "iif limpet1 blackhole", "fwmark 0xa/0xfffffffe lookup 19536", "lookup local"));
}

TEST(MarkRules, marks_that_differ_in_few_bits_share_rules) {
  MarkPathPlan plan;
  for (std::uint32_t mark = 1; mark <= 100; ++mark) plan.marks.insert(mark);
  const auto rules = with(plan);
  EXPECT_LT(rules_walked(rules, 0), 16U);
  for (std::uint32_t mark = 0; mark < 256; ++mark) EXPECT_EQ(is_led_away(rules, mark), mark >= 1 && mark <= 100);
  plan.marks.clear();
  for (std::uint32_t i = 1; i < 256; ++i) plan.marks.insert(i << 16);
  EXPECT_LT(rules_walked(with(plan), 0), 16U);
}

TEST(MarkRules, with_many_marks_an_unmarked_packet_jumps_over_them) {
  const auto plan = many_marks();
  const auto rules = with(plan);
  EXPECT_LT(rules_walked(rules, 0), 8U);
  EXPECT_THAT(tables_asked(rules, 0), ElementsAre(RT_TABLE_LOCAL, RT_TABLE_MAIN, RT_TABLE_DEFAULT));
  EXPECT_THAT(tables_asked(rules, 7), ElementsAre(RT_TABLE_LOCAL, RT_TABLE_MAIN, RT_TABLE_DEFAULT));
  for (const std::uint32_t mark : plan.marks) EXPECT_TRUE(is_led_away(rules, mark));
  EXPECT_EQ(after(rules, rule_steps(rules, {}).value()), as_after_boot());
}

TEST(MarkRules, the_jump_ends_before_every_rule_of_others) {
  auto rules = as_after_boot();
  rules.insert(rules.begin() + 1, lookup(1, 1000));
  EXPECT_THAT(tables_asked(with(many_marks(), rules), 0),
              ElementsAre(RT_TABLE_LOCAL, 1000, RT_TABLE_MAIN, RT_TABLE_DEFAULT));
}

TEST(MarkRules, a_rule_that_others_add_without_a_preference_is_not_jumped_over) {
  auto rules = with(many_marks());
  const auto foreign = lookup(0, 1000);  // the kernel gives it 0, since ours have it
  carry_out({RuleStep::Kind::add, foreign}, rules);
  const auto change = steps(rules, many_marks());
  EXPECT_EQ(change.size(), 1U);
  rules = after(rules, change);
  EXPECT_THAT(tables_asked(rules, 0),
              ElementsAre(RT_TABLE_LOCAL, RT_TABLE_LOCAL, 1000, RT_TABLE_MAIN, RT_TABLE_DEFAULT));
  EXPECT_THAT(steps(rules, many_marks()), IsEmpty());
  carry_out({RuleStep::Kind::remove, foreign}, rules);
  EXPECT_EQ(with(many_marks(), rules), with(many_marks()));
}

TEST(MarkRules, a_local_rule_moved_by_the_administrator_is_not_overtaken) {
  const std::vector<Rule> rules = {lookup(50, 1000), lookup(100, RT_TABLE_LOCAL), lookup(32766, RT_TABLE_MAIN)};
  const auto active = with(many_marks(), rules);
  EXPECT_THAT(tables_asked(active, 0), ElementsAre(1000, RT_TABLE_LOCAL, RT_TABLE_MAIN));
  EXPECT_EQ(after(active, rule_steps(active, {}).value()), rules);
}

TEST(MarkRules, deferred_addresses_have_a_table_of_their_own) {
  MarkPathPlan plan;
  plan.deferred_addresses = {*Address::parse("192.0.2.1")};
  EXPECT_THAT(at_preference_0(with(plan)),
              ElementsAre("iif lo lookup local", "iif limpet0 lookup local", "iif limpet1 lookup local",
                          "iif limpet1 blackhole", "ipproto 6 lookup 19537", "ipproto 17 lookup 19537",
                          "ipproto 132 lookup 19537", "lookup local"));
}

TEST(MarkRules, a_second_time_there_is_nothing_to_do) {
  EXPECT_THAT(rule_steps(with(marks({10})), mark_rules(marks({10}), kTable)).value(), IsEmpty());
  EXPECT_THAT(rule_steps(as_after_boot(), {}).value(), IsEmpty());
}

TEST(MarkRules, taking_them_out_leaves_the_list_as_it_was) {
  const auto rules = with(marks({10, 11}));
  EXPECT_EQ(after(rules, rule_steps(rules, {}).value()), as_after_boot());
}

TEST(MarkRules, the_local_table_comes_first_for_the_unmarked_at_every_moment) {
  for (const auto& before : {marks({10, 11}), many_marks()}) {
    for (const auto& target : {marks({10, 12}), marks({}), marks({11}), many_marks(), many_marks(3)}) {
      auto rules = with(before);
      for (const RuleStep& step : steps(rules, target)) {
        carry_out(step, rules);
        EXPECT_TRUE(has_local_rule(rules));
        EXPECT_EQ(tables_asked(rules, 0).front(), RT_TABLE_LOCAL);
        EXPECT_EQ(tables_asked(rules, 0).back(), RT_TABLE_DEFAULT);
      }
    }
  }
}

TEST(MarkRules, a_mark_that_stays_is_led_away_at_every_moment) {
  auto more = many_marks();
  more.marks.insert(10);
  for (const auto& [before, target] :
       {std::pair(marks({10}), marks({9, 10, 11})), std::pair(marks({10}), more), std::pair(more, marks({10}))}) {
    auto rules = with(before);
    for (const RuleStep& step : steps(rules, target)) {
      carry_out(step, rules);
      EXPECT_TRUE(is_led_away(rules, 10));
    }
    EXPECT_EQ(rules, with(target));
  }
}

TEST(MarkRules, unmarked_packets_are_never_led_away) {
  auto rules = as_after_boot();
  for (const RuleStep& step : steps(rules, marks({10}))) {
    carry_out(step, rules);
    EXPECT_FALSE(is_led_away(rules, 0));
  }
}

TEST(MarkRules, whatever_a_killed_process_left_becomes_right) {
  for (const auto& [before, target] : {std::pair(marks({10, 11}), marks({11, 12})),
                                       std::pair(marks({10}), many_marks()), std::pair(many_marks(), marks({10}))}) {
    const auto start = with(before);
    const auto change = steps(start, target);
    for (std::size_t done = 0; done <= change.size(); ++done) {
      auto rules = start;
      for (std::size_t i = 0; i < done; ++i) carry_out(change[i], rules);
      for (const auto& wanted : {marks({20}), many_marks(5)})
        EXPECT_EQ(with(wanted, rules), with(wanted)) << done << " steps";
      EXPECT_EQ(after(rules, rule_steps(rules, {}).value()), as_after_boot()) << done << " steps";
    }
  }
}

TEST(MarkRules, a_foreign_rule_at_another_preference_stays_where_it_is) {
  auto rules = as_after_boot();
  rules.insert(rules.begin() + 1, lookup(100, 1000));
  const auto active = with(marks({10}), rules);
  EXPECT_EQ(active[active.size() - 3], lookup(100, 1000));
  EXPECT_EQ(after(active, rule_steps(active, {}).value()), rules);
}

TEST(MarkRules, a_local_rule_moved_by_the_administrator_is_left_there) {
  const std::vector<Rule> rules = {lookup(100, RT_TABLE_LOCAL), lookup(32766, RT_TABLE_MAIN)};
  const auto active = with(marks({10}), rules);
  EXPECT_FALSE(has_local_rule(active));
  EXPECT_TRUE(is_led_away(active, 10));
  EXPECT_EQ(after(active, rule_steps(active, {}).value()), rules);
}

TEST(MarkRules, a_foreign_rule_that_would_be_deleted_by_mistake_is_named) {
  auto rules = as_after_boot();
  rules.insert(rules.begin(), local_rule());
  rules.front().input_interface = "eth5";
  const auto refused = rule_steps(rules, mark_rules(marks({10}), kTable));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("iif eth5 lookup local"));
}

TEST(MarkRules, mark_0_is_no_mark) { EXPECT_EQ(mark_rules(marks({0, 10}), kTable), mark_rules(marks({10}), kTable)); }

Prefix prefix(const char* address, std::uint8_t length) { return {*Address::parse(address), length}; }

TEST(MarkRoutes, addresses_and_local_prefixes_are_mirrored) {
  EXPECT_THAT(marked_prefixes({prefix("192.0.2.1", 32), prefix("10.0.0.0", 8)}),
              ElementsAre(prefix("10.0.0.0", 8), prefix("192.0.2.1", 32)));
}

TEST(MarkRoutes, loopback_default_and_our_own_address_are_not) {
  EXPECT_THAT(marked_prefixes({prefix("127.0.0.0", 8), prefix("127.0.0.1", 32), prefix("0.0.0.0", 0),
                               Prefix::host(mark_peer_address()), prefix("::1", 128)}),
              IsEmpty());
}

TEST(MarkRoutes, a_deferred_address_counts_only_while_it_is_local) {
  MarkPathPlan plan;
  plan.deferred_addresses = {*Address::parse("10.1.2.3"), *Address::parse("192.0.2.1"), *Address::parse("192.0.2.2")};
  EXPECT_THAT(deferred_prefixes(plan, {prefix("10.0.0.0", 8), prefix("192.0.2.1", 32)}),
              ElementsAre(prefix("10.1.2.3", 32), prefix("192.0.2.1", 32)));
}

}  // namespace
}  // namespace limpet::network
