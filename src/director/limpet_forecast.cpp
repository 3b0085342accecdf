// SPDX-License-Identifier: Apache-2.0
// Forecasts.
#include "director/limpet_forecast.h"

#include <utility>
#include <variant>

#include "dataplane/hash_shares.h"
#include "director/limpet_director.h"
#include "director/turn.h"

namespace limpet {
namespace {

constexpr std::size_t kEntriesAPiece = 2048;

ForesightSettings settings_of(const Configuration& configuration) {
  const Tunables& tunables = configuration.tunables();
  return {tunables[tunable("expire_nodest_conn")] != 0, tunables[tunable("expire_quiescent_template")] != 0};
}

}  // namespace

LimpetForecast::LimpetForecast(LimpetDirector& director)
    : director_(director), before_(director.configuration_), generation_(director.generation_) {}

// Not in the turn of the first copy: each takes some milliseconds with ten thousand services.
Staging& LimpetForecast::staging() { return staging_ ? *staging_ : staging_.emplace(before_); }

Result<void> LimpetForecast::add(const Command& command) {
  if (director_.unloaded_) return Error{ErrorCode::not_running, "limpetd is ending: it has been unloaded"};
  const auto ready = director_.settled(command, staging().configuration());
  if (!ready) return ready.error();
  // The tables can say of one command only what they have no room for.
  const bool is_alone = std::exchange(is_first_, false) && generation_ == director_.generation_;
  if (is_alone && !std::holds_alternative<StartSyncDaemon>(*ready))
    if (auto fine = director_.check(*ready); !fine) return fine;
  return staging().stage(*ready);
}

Forecast::Progress LimpetForecast::look() {
  const Turn turn;
  if (director_.unloaded_) return {true, Error{ErrorCode::not_running, "limpetd is ending: it has been unloaded"}};
  if (foresight_ == nullptr) {
    if (const auto room = director_.room_for(staging().configuration()); !room) return {true, room.error()};
    foresight_ = std::make_unique<Foresight>(before_, staging().configuration(), settings_of(staging().configuration()),
                                             staging().touched());
    walk_ = std::make_unique<dataplane::ForesightWalk>(*director_.object_, *foresight_);
  }
  do {
    if (!walk_->next(kEntriesAPiece)) return {true, std::nullopt};
  } while (!turn.over());
  return {};
}

std::optional<ForesightLine> LimpetForecast::next() {
  auto line = foresight_->next();
  if (!line) return line;
  auto* service = std::get_if<ServiceForesight>(&*line);
  const bool hashes = service != nullptr && service->after && hashed_by(*service->after) != Hashed::nothing;
  if (!hashes || !service->targets_change) return line;
  const ConfiguredService* before = before_.find(service->service);
  const ConfiguredService* after = staging().configuration().find(service->service);
  if (before == nullptr || after == nullptr) return line;
  const auto known = [&](const DestinationKey& key) {
    const std::uint32_t id = director_.tables_->destination_id(service->service, key);
    return id == 0 ? 0U : director_.object_->destinations[id].last_weight;
  };
  service->hash = dataplane::hash_shares(before->service, dataplane::listed(*before, known), after->service,
                                         dataplane::listed(*after, known), director_.tables_->key());
  return line;
}

}  // namespace limpet
