// SPDX-License-Identifier: Apache-2.0
// Rates against the kernel's own arithmetic.
#include "director/rates.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace limpet {
namespace {

constexpr Counters of_connections(std::uint64_t connections) { return {connections, 0, 0, 0, 0}; }

// ip_vs_est.c: estimation_timer() and ip_vs_read_estimator(), for one counter.
struct KernelEstimator {
  int sample_shift;  // 9 for connections and packets, 4 for bytes
  std::uint64_t last = 0;
  std::int64_t average = 0;

  void sample(std::uint64_t count) {
    const auto rate = static_cast<std::int64_t>((count - last) << sample_shift);
    last = count;
    average += (rate - average) >> 2;
  }
  std::uint64_t shown() const {
    const std::int64_t half = (std::int64_t{1} << sample_shift) - 1;
    return static_cast<std::uint64_t>((average + half) >> (sample_shift + 1));
  }
};

TEST(Rates, are_the_kernels_for_any_traffic) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    Counters now;
    Estimator ours;
    ours.sample(now);
    KernelEstimator connections{9}, in_packets{9}, out_packets{9}, in_bytes{4}, out_bytes{4};
    for (int step = 0; step < 100; ++step) {
      const std::uint64_t busy = random() % 4 == 0 ? 0 : std::uint64_t{1} << random() % 30;
      now.connections += busy;
      now.in_packets += busy * 7;
      now.out_packets += busy * 5;
      now.in_bytes += busy * 4001;
      now.out_bytes += busy * 60007;
      ours.sample(now);
      connections.sample(now.connections);
      in_packets.sample(now.in_packets);
      out_packets.sample(now.out_packets);
      in_bytes.sample(now.in_bytes);
      out_bytes.sample(now.out_bytes);
      ASSERT_EQ(ours.rates(), (Rates{connections.shown(), in_packets.shown(), out_packets.shown(), in_bytes.shown(),
                                     out_bytes.shown()}))
          << "seed " << seed << ", step " << step;
    }
  }
}

TEST(Rates, approach_a_steady_load_by_a_quarter_every_two_seconds) {
  Estimator estimator;
  estimator.sample(of_connections(0));
  std::vector<std::uint64_t> shown;
  for (std::uint64_t turn = 1; turn <= 40; ++turn) {
    estimator.sample(of_connections(turn * 200));  // 100 a second
    shown.push_back(estimator.rates().connections);
  }
  EXPECT_EQ(shown[0], 25u);
  EXPECT_EQ(shown[1], 44u);  // 25 + 75/4 = 43.75
  EXPECT_EQ(shown[2], 58u);
  EXPECT_EQ(shown.back(), 100u);
}

TEST(Rates, fall_to_0_when_the_load_ends) {
  Estimator estimator;
  estimator.sample(of_connections(0));
  estimator.sample(of_connections(1000000));
  for (int turn = 0; turn < 100; ++turn) estimator.sample(of_connections(1000000));
  EXPECT_EQ(estimator.rates(), Rates());
}

TEST(Rates, what_was_counted_before_the_first_sample_is_no_load) {
  Estimator estimator;
  EXPECT_EQ(estimator.rates(), Rates());
  estimator.sample({1000000, 1000000, 1000000, 1000000, 1000000});
  EXPECT_EQ(estimator.rates(), Rates());
}

TEST(Rates, zeroed_counters_are_a_pause_and_not_a_flood) {
  Estimator estimator;
  estimator.sample(of_connections(0));
  estimator.sample(of_connections(800));
  EXPECT_EQ(estimator.rates().connections, 100u);
  estimator.sample(of_connections(0));
  EXPECT_EQ(estimator.rates().connections, 75u);
  estimator.sample(of_connections(150));
  EXPECT_EQ(estimator.rates().connections, 75u) << "counts from the zero on";
}

TEST(Rates, of_a_service_are_added_up_before_they_are_rounded) {
  Estimator quarter;
  quarter.sample(of_connections(0));
  quarter.sample(of_connections(2));  // 0.25 a second
  EXPECT_EQ(quarter.rates().connections, 0u);
  Estimator sum;
  for (int server = 0; server < 4; ++server) sum += quarter;
  EXPECT_EQ(sum.rates().connections, 1u);
}

}  // namespace
}  // namespace limpet
