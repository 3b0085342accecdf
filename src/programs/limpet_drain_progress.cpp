// SPDX-License-Identifier: Apache-2.0
// The estimate comes from the pace at which what is left declines; the deadlines say when it would have ended at the
// latest if nobody used it any more.
#include "programs/limpet_drain_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "programs/limpet_text.h"

namespace limpet {
namespace {

constexpr double kPaceSeconds = 60;      // over which the pace is taken
constexpr double kPaceLeastSeconds = 5;  // before that it is chance
constexpr double kLongestEstimate = 86400.0 * 31;
constexpr std::size_t kBar = 20;

}  // namespace

void DrainProgress::add(double at, const Left& left) {
  left_ = left;
  at_ = at;
  most_ = std::max(most_, waited_for());
  // A client that came back begins it anew.
  if (!samples_.empty() && waited_for() > samples_.back().count) samples_.clear();
  samples_.push_back({at, waited_for()});
  while (samples_.size() > 2 && samples_[1].at <= at - kPaceSeconds) samples_.pop_front();
}

void DrainProgress::add_deadlines(double at, const Remaining& remaining) {
  const std::uint32_t last =
      clients_too_ ? std::max(remaining.connections_last, remaining.clients_last) : remaining.connections_last;
  idle_end_ = at + last;
}

std::optional<std::uint32_t> DrainProgress::seconds_to_go() const {
  if (is_drained()) return 0;
  if (samples_.empty()) return std::nullopt;
  const double time = samples_.back().at - samples_.front().at;
  const auto decline = static_cast<double>(samples_.front().count - samples_.back().count);
  if (time < kPaceLeastSeconds || decline <= 0) return std::nullopt;
  const double seconds = std::ceil(static_cast<double>(waited_for()) * time / decline);
  if (seconds > kLongestEstimate) return std::nullopt;
  return static_cast<std::uint32_t>(seconds);
}

std::string DrainProgress::left() const {
  return fmt::format("{} ({} active), {}", text::counted(left_.connections(), "connection", "connections"),
                     left_.active, text::counted(left_.clients, "persistent client", "persistent clients"));
}

std::string DrainProgress::estimate() const {
  std::string text;
  if (is_drained()) return text;
  if (const auto seconds = seconds_to_go()) text = fmt::format("about {} at this pace", text::duration(*seconds));
  if (idle_end_ > at_) {
    const auto idle = static_cast<std::uint32_t>(std::ceil(idle_end_ - at_));
    text += fmt::format("{}idle ones end within {}", text.empty() ? "" : "; ", text::duration(idle));
  }
  return text;
}

std::string DrainProgress::line() const {
  const std::string when = estimate();
  return fmt::format("{}  {} left{}", text::clock(static_cast<std::uint32_t>(at_)), left(),
                     when.empty() ? "" : "; " + when);
}

std::string DrainProgress::bar_line(std::size_t columns) const {
  const double share = most_ == 0 ? 1 : 1 - static_cast<double>(waited_for()) / static_cast<double>(most_);
  const auto full = static_cast<std::size_t>(share * kBar);
  std::string text = fmt::format("[{}{}] {:3.0f} %  {} left", std::string(full, '#'), std::string(kBar - full, '-'),
                                 std::floor(share * 100), left());
  const std::string when = estimate();
  if (!when.empty()) text += "; " + when;
  if (columns != 0 && text.size() >= columns) text.resize(columns - 1);  // a longer one would not be overwritten
  return text;
}

}  // namespace limpet
