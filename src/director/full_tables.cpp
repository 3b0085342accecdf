// SPDX-License-Identifier: Apache-2.0
// Tables that have no room left.
#include "director/full_tables.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <iterator>

namespace limpet {
namespace {

struct Table {
  limpet_event event;
  bool FullTables::Seen::*has_room;
  const char* name;
  const char* consequence;
  const char* option;
};
constexpr Table kTables[] = {
    {LIMPET_EVENT_FLOWS_FULL, &FullTables::Seen::flows_have_room, "connections",
     "new ones are forwarded by a hash, without an entry", "tables.flows"},
    {LIMPET_EVENT_TEMPLATES_FULL, &FullTables::Seen::templates_have_room, "persistence templates",
     "new clients are spread by a hash", "tables.templates"},
    {LIMPET_EVENT_REVERSE_FULL, &FullTables::Seen::flows_have_room, "masqueraded connections", "new ones are dropped",
     "tables.flows"},
};

// An insertion that finds no memory counts as well.
constexpr const char* kOrMemory = ", or add memory if that ceiling is not reached";

// As the log has it.
std::string text_of(FullTables::WallClock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::localtime(FullTables::WallClock::to_time_t(time)));
}

}  // namespace

std::vector<std::string> FullTables::update(const Seen& seen, Clock::time_point now, WallClock::time_point wall) {
  static_assert(std::size(kTables) == std::tuple_size_v<decltype(episodes_)>);
  std::vector<std::string> log;
  for (std::size_t i = 0; i < episodes_.size(); ++i) {
    const Table& table = kTables[i];
    Episode& e = episodes_[i];
    const std::uint64_t count = seen.events[table.event];
    if (!started_) e.count = count;
    if (count > e.count) {
      if (e.stage != Episode::Stage::full) {
        e = {Episode::Stage::full, e.count, e.count, now, wall, {}};
        log.push_back(
            fmt::format("the table of {} is full: {}; raise {}", table.name, table.consequence, table.option) +
            kOrMemory);
      }
      e.count = count;
      e.last = now;
    } else if (e.stage == Episode::Stage::full && seen.*table.has_room && now - e.last >= kQuiet) {
      e.stage = Episode::Stage::over;
      e.last = now;
      e.ended = wall;
      log.push_back(fmt::format("the table of {} has room again; {} packets have found none since {}", table.name,
                                e.count - e.base, text_of(e.began)));
    }
  }
  started_ = true;
  return log;
}

std::vector<std::string> FullTables::sentences(Clock::time_point now) const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < episodes_.size(); ++i) {
    const Table& table = kTables[i];
    const Episode& e = episodes_[i];
    if (e.stage == Episode::Stage::full)
      all.push_back(fmt::format("the table of {} is full since {}: {} ({} packets so far); raise {}", table.name,
                                text_of(e.began), table.consequence, e.count - e.base, table.option) +
                    kOrMemory);
    else if (e.stage == Episode::Stage::over && now - e.last < kRemembered)
      all.push_back(
          fmt::format("the table of {} was full from {} to {}, which is over: {} packets found no room; "
                      "should it come again, raise {}",
                      table.name, text_of(e.began), text_of(e.ended), e.count - e.base, table.option));
  }
  return all;
}

}  // namespace limpet
