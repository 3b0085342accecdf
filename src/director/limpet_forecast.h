// SPDX-License-Identifier: Apache-2.0
// A forecast: commands staged on a copy, and the tables walked for what is bound to what they change.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/foresight_walk.h"
#include "director/director.h"
#include "director/staging.h"
#include "model/configuration.h"
#include "model/foresight.h"

namespace limpet {

class LimpetDirector;

class LimpetForecast : public Forecast {
 public:
  // `director` must outlive it.
  explicit LimpetForecast(LimpetDirector& director);

  Result<void> add(const Command& command) override;
  Progress look() override;
  std::optional<ForesightLine> next() override;

 private:
  Staging& staging();

  LimpetDirector& director_;
  const Configuration before_;
  const std::uint64_t generation_;  // of the configuration that was copied
  std::optional<Staging> staging_;
  bool is_first_ = true;
  std::unique_ptr<Foresight> foresight_;
  std::unique_ptr<dataplane::ForesightWalk> walk_;
};

}  // namespace limpet
