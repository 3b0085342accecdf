// SPDX-License-Identifier: Apache-2.0
// Rates as the kernel's estimator smooths them (ip_vs_est.c): every 2 s a quarter of the way to the new sample.
#pragma once

#include <cstdint>

#include "model/view.h"

namespace limpet {

class Estimator {
 public:
  static constexpr int kPeriodSeconds = 2;

  // `counters`: now; call it every kPeriodSeconds. The first call only sets the starting point.
  void sample(const Counters& counters);
  // Added up before rounding, so that a service's rate is that of all its destinations together.
  Estimator& operator+=(const Estimator& other);
  Rates rates() const;

 private:
  // Scaled by 2^10 (connections, packets) and 2^5 (bytes).
  struct Scaled {
    std::int64_t connections = 0;
    std::int64_t in_packets = 0;
    std::int64_t out_packets = 0;
    std::int64_t in_bytes = 0;
    std::int64_t out_bytes = 0;
  };

  bool started_ = false;
  Counters last_;
  Scaled average_;
};

}  // namespace limpet
