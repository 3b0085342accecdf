// SPDX-License-Identifier: Apache-2.0
// rr and wrr across edits: as the kernel goes on, so do we.
#include "dataplane/schedule_cursor.h"

#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "unit/dataplane/kernel_scheduler.h"
#include "unit/dataplane/served_list.h"

namespace limpet::dataplane {
namespace {

constexpr std::uint32_t kRs1 = 1, kRs2 = 2, kRs3 = 3, kRs4 = 4;
constexpr CursorStart kHead{};

template <class Service>
std::string serve(Service& service, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += (i == 0 ? "rs" : " rs") + std::to_string(service.serve());
  return text;
}

CursorStart rr_after(const DestinationList& before, std::uint32_t index, const DestinationList& after) {
  return start_after_edit(LIMPET_RR, Edit::destination, before, {index, 0}, after);
}

CursorStart wrr_after(std::uint32_t current_weight, const DestinationList& after) {
  const DestinationList before{{kRs4, 7}, {kRs1, 7}};
  return start_after_edit(LIMPET_WRR, Edit::destination, before, {1, current_weight}, after);
}

TEST(WeightSummary, of_no_destinations_is_weight_0_and_divisor_1) {
  EXPECT_EQ(summarize_weights({}).highest, 0u);
  EXPECT_EQ(summarize_weights({}).gcd, 1u);
}

TEST(WeightSummary, weights_of_0_do_not_take_part_in_the_divisor) {
  const WeightSummary some = summarize_weights({{kRs1, 6}, {kRs2, 0}, {kRs3, 4}});
  EXPECT_EQ(some.highest, 6u);
  EXPECT_EQ(some.gcd, 2u);
  EXPECT_EQ(summarize_weights({{kRs1, 0}, {kRs2, 0}}).gcd, 1u);
  EXPECT_EQ(summarize_weights({{kRs1, 2147483647}, {kRs2, 0}}).gcd, 2147483647u);
}

TEST(RoundRobin, goes_on_from_the_one_served_last_wherever_it_stands_now) {
  EXPECT_EQ(rr_after({{kRs2, 1}, {kRs1, 1}}, 1, {{kRs3, 1}, {kRs2, 1}, {kRs1, 1}}), (CursorStart{2, 0}));
  EXPECT_EQ(rr_after({{kRs3, 1}, {kRs2, 1}, {kRs1, 1}}, 2, {{kRs2, 1}, {kRs1, 1}}), (CursorStart{1, 0}));
}

TEST(RoundRobin, falls_back_to_the_one_before_a_removed_destination) {
  EXPECT_EQ(rr_after({{kRs3, 1}, {kRs2, 1}, {kRs1, 1}}, 1, {{kRs3, 1}, {kRs1, 1}}), (CursorStart{0, 0}));
  EXPECT_EQ(rr_after({{kRs3, 1}, {kRs2, 1}, {kRs1, 1}}, 2, {{kRs3, 1}}), (CursorStart{0, 0})) << "two have gone";
}

TEST(RoundRobin, falls_back_to_the_head_when_nothing_stands_before_the_removed_one) {
  EXPECT_EQ(rr_after({{kRs3, 1}, {kRs2, 1}, {kRs1, 1}}, 0, {{kRs2, 1}, {kRs1, 1}}), kHead);
  EXPECT_EQ(rr_after({{kRs1, 1}}, 0, {}), kHead);
}

TEST(RoundRobin, that_has_not_begun_stays_at_the_head) {
  EXPECT_EQ(rr_after({{kRs1, 1}}, LIMPET_CURSOR_HEAD, {{kRs2, 1}, {kRs1, 1}}), kHead);
  EXPECT_EQ(rr_after({}, LIMPET_CURSOR_HEAD, {{kRs1, 1}}), kHead);
}

TEST(RoundRobin, is_not_moved_by_weights) {
  EXPECT_EQ(rr_after({{kRs2, 1}, {kRs1, 1}}, 1, {{kRs2, 5}, {kRs1, 0}}), (CursorStart{1, 0}));
}

TEST(RoundRobin, begins_at_the_head_when_it_takes_over_from_another_scheduler) {
  const DestinationList list{{kRs2, 1}, {kRs1, 1}};
  EXPECT_EQ(start_after_edit(LIMPET_RR, Edit::scheduler, list, {1, 3}, list), kHead);
}

TEST(WeightedRoundRobin, restarts_at_the_head_with_its_current_weight) {
  EXPECT_EQ(wrr_after(2, {{kRs2, 1}, {kRs1, 7}}), (CursorStart{LIMPET_CURSOR_HEAD, 2}));
}

TEST(WeightedRoundRobin, takes_a_current_weight_above_the_new_top_down_to_it) {
  EXPECT_EQ(wrr_after(7, {{kRs2, 1}, {kRs1, 3}}), (CursorStart{LIMPET_CURSOR_HEAD, 3}));
  EXPECT_EQ(wrr_after(4, {{kRs2, 2}, {kRs1, 4}}), (CursorStart{LIMPET_CURSOR_HEAD, 3}))
      << "top: highest - (divisor - 1)";
}

TEST(WeightedRoundRobin, aligns_its_current_weight_to_the_new_divisor) {
  EXPECT_EQ(wrr_after(5, {{kRs2, 4}, {kRs1, 8}}), (CursorStart{LIMPET_CURSOR_HEAD, 5}));
  EXPECT_EQ(wrr_after(4, {{kRs2, 4}, {kRs1, 8}}), (CursorStart{LIMPET_CURSOR_HEAD, 5}));
  EXPECT_EQ(wrr_after(3, {{kRs2, 4}, {kRs1, 8}}), (CursorStart{LIMPET_CURSOR_HEAD, 1}));
}

TEST(WeightedRoundRobin, begins_at_the_top_after_a_time_without_any_weight) {
  EXPECT_EQ(wrr_after(5, {{kRs2, 0}, {kRs1, 0}}), (CursorStart{LIMPET_CURSOR_HEAD, 0}));
  EXPECT_EQ(wrr_after(5, {}), (CursorStart{LIMPET_CURSOR_HEAD, 0}));
  EXPECT_EQ(wrr_after(0, {{kRs2, 0}, {kRs1, 6}}), (CursorStart{LIMPET_CURSOR_HEAD, 1}));
}

TEST(WeightedRoundRobin, goes_on_where_it_stands_when_only_the_service_is_edited) {
  const DestinationList list{{kRs2, 1}, {kRs1, 3}};
  EXPECT_EQ(start_after_edit(LIMPET_WRR, Edit::none, list, {1, 2}, list), (CursorStart{1, 2}));
}

// ip_vs_wrr_dest_changed() runs with every -e.
TEST(WeightedRoundRobin, restarts_at_the_head_when_a_server_is_edited_to_what_it_is) {
  const DestinationList list{{kRs2, 1}, {kRs1, 3}};
  EXPECT_EQ(start_after_edit(LIMPET_WRR, Edit::destination, list, {1, 2}, list), (CursorStart{LIMPET_CURSOR_HEAD, 2}));
}

TEST(WeightedRoundRobin, begins_at_the_top_when_it_takes_over_from_another_scheduler) {
  const DestinationList list{{kRs2, 2}, {kRs1, 4}};
  EXPECT_EQ(start_after_edit(LIMPET_WRR, Edit::scheduler, list, {1, 1}, list), (CursorStart{LIMPET_CURSOR_HEAD, 3}));
}

// Recorded from a kernel: one client after the other, commands in between.
TEST(RoundRobin, serves_as_the_kernel_was_seen_to_serve) {
  ServedList service(LIMPET_RR);
  for (const std::uint32_t id : {kRs1, kRs2, kRs3}) service.add(id, 1);
  EXPECT_EQ(serve(service, 4), "rs3 rs2 rs1 rs3");
  service.remove(kRs2);
  EXPECT_EQ(serve(service, 4), "rs1 rs3 rs1 rs3");
  service.add(kRs2, 1);
  EXPECT_EQ(serve(service, 3), "rs1 rs2 rs3");
}

TEST(WeightedRoundRobin, serves_as_the_kernel_was_seen_to_serve) {
  ServedList service(LIMPET_RR);
  service.add(kRs1, 3);
  service.add(kRs3, 1);
  service.add(kRs2, 1);
  service.set_scheduler(LIMPET_WRR);
  EXPECT_EQ(serve(service, 10), "rs1 rs1 rs2 rs3 rs1 rs1 rs1 rs2 rs3 rs1");
  service.reweigh(kRs3, 2);
  EXPECT_EQ(serve(service, 12), "rs2 rs3 rs1 rs1 rs3 rs1 rs2 rs3 rs1 rs1 rs3 rs1");
}

TEST(WeightedRoundRobin, serves_as_the_kernel_was_seen_to_serve_after_edits_that_change_nothing) {
  ServedList service(LIMPET_WRR);
  service.add(kRs1, 3);
  service.add(kRs2, 2);
  service.add(kRs3, 1);
  EXPECT_EQ(serve(service, 2), "rs3 rs2");
  service.reweigh(kRs1, 3);
  EXPECT_EQ(serve(service, 7), "rs3 rs2 rs1 rs1 rs2 rs1 rs3");
  service.reweigh(kRs3, 1);
  EXPECT_EQ(serve(service, 7), "rs3 rs2 rs1 rs1 rs2 rs1 rs3");
}

// ip_vs_wrr.c: alone, weight 3 is its own divisor and the current weight 1; the next -a keeps that 1.
TEST(WeightedRoundRobin, begins_low_when_its_first_server_was_added_alone_with_a_weight) {
  ServedList service(LIMPET_WRR);
  service.add(kRs1, 3);
  service.add(kRs3, 1);
  service.add(kRs2, 1);
  EXPECT_EQ(serve(service, 8), "rs2 rs3 rs1 rs1 rs1 rs2 rs3 rs1");
}

// Any sequence of commands and clients, on both.
void expect_the_kernels_choices(limpet_scheduler scheduler, unsigned seed) {
  std::mt19937 random(seed);
  ServedList ours(scheduler);
  KernelScheduler kernel(scheduler);
  std::map<std::uint32_t, std::uint32_t> weights;
  const auto both = [&](const auto& command) { command(ours), command(kernel); };
  const std::uint32_t unit = 1 + seed % 3;  // so that common divisors other than 1 occur
  for (int step = 0; step < 400; ++step) {
    const auto id = static_cast<std::uint32_t>(1 + random() % 6);
    const auto weight = static_cast<std::uint32_t>(random() % 5) * unit;
    if (const auto found = weights.find(id); found == weights.end()) {
      both([&](auto& service) { service.add(id, weight); });
      weights[id] = weight;
    } else if (random() % 3 == 0) {
      both([&](auto& service) { service.remove(id); });
      weights.erase(found);
    } else {
      both([&](auto& service) { service.reweigh(id, weight); });
      found->second = weight;
    }
    if (random() % 50 == 0) {
      both([&](auto& service) { service.set_scheduler(scheduler == LIMPET_RR ? LIMPET_WRR : LIMPET_RR); });
      both([&](auto& service) { service.set_scheduler(scheduler); });
    }
    const auto clients = static_cast<int>(random() % 8);
    ASSERT_EQ(serve(ours, clients), serve(kernel, clients)) << "seed " << seed << ", step " << step;
  }
}

TEST(RoundRobin, makes_the_kernels_choices_whatever_is_edited) {
  for (unsigned seed = 0; seed < 100; ++seed) ASSERT_NO_FATAL_FAILURE(expect_the_kernels_choices(LIMPET_RR, seed));
}

TEST(WeightedRoundRobin, makes_the_kernels_choices_whatever_is_edited) {
  for (unsigned seed = 0; seed < 100; ++seed) ASSERT_NO_FATAL_FAILURE(expect_the_kernels_choices(LIMPET_WRR, seed));
}

}  // namespace
}  // namespace limpet::dataplane
