// SPDX-License-Identifier: Apache-2.0
// A forecast in slices: the commands are read and staged, the tables are walked, the lines are written.
#include "api/what_if_run.h"

#include <utility>

#include "api/command_text.h"
#include "director/turn.h"
#include "json/json.h"

namespace limpet::api {
namespace {

class WhatIfRun : public BodySource {
 public:
  WhatIfRun(Director& director, std::string text) : commands_(std::move(text)), forecast_(director.forecast()) {}
  Result<void> prepare() { return commands_.open(); }

  // A blank between the slices: that it cannot be sent shows that the client has gone.
  std::optional<std::string> next() override {
    if (stage_ == Stage::done) return std::nullopt;
    if (stage_ == Stage::reading) return read_some();
    return stage_ == Stage::looking ? look() : write_some();
  }

 private:
  enum class Stage { reading, looking, writing, done };

  std::string read_some() {
    const Turn turn;
    while (!commands_.at_end() && !turn.over()) {
      const auto add = [this](const Command& command) { return forecast_->add(command); };
      if (const auto refusal = commands_.add_next(add)) return refuse(*refusal);
    }
    if (commands_.at_end()) stage_ = Stage::looking;
    return kStillThere;
  }

  std::string look() {
    const auto progress = forecast_->look();
    if (!progress.done) return kStillThere;
    if (progress.failure) return refuse({*progress.failure, std::nullopt});
    stage_ = Stage::writing;
    return kStillThere;
  }

  std::optional<std::string> write_some() {
    std::string piece;
    const Turn turn;
    while (!is_full(piece, turn)) {
      const auto line = forecast_->next();
      if (!line) {
        stage_ = Stage::done;
        break;
      }
      piece += json_codec::to_text(json_codec::foresight_line_to_json(*line)) + "\n";
    }
    return piece;
  }

  std::string refuse(const Refusal& refusal) {
    stage_ = Stage::done;
    auto problem = problem_of(refusal);
    return json_codec::to_text({{"problem", std::move(problem)}}) + "\n";
  }

  CommandList commands_;
  std::unique_ptr<Forecast> forecast_;
  Stage stage_ = Stage::reading;
};

}  // namespace

Result<std::unique_ptr<BodySource>> what_if_run(Director& director, std::string commands) {
  auto run = std::make_unique<WhatIfRun>(director, std::move(commands));
  if (auto prepared = run->prepare(); !prepared) return prepared.error();
  return std::unique_ptr<BodySource>(std::move(run));
}

}  // namespace limpet::api
