// SPDX-License-Identifier: Apache-2.0
// The settings net.ipv4.vs.* as text, and those of the kernel that mean nothing here.
#include "model/tunables.h"

#include <charconv>

namespace limpet {
namespace {

// Another value than the default would promise what does not happen.
struct Meaningless {
  std::string_view name;
  std::string_view initial;
  std::string_view reason;
};

constexpr std::string_view kNoSynchronisation = "connections are not synchronised yet";
constexpr std::string_view kNoTunnels = "tunnels are not carried yet";

// By name. What the kernel sizes by its memory (sync_qlen_max) or has for its own threads (est_cpulist, est_nice) has
// no default that could be shown.
constexpr Meaningless kMeaningless[] = {
    {"backup_only", "0", kNoSynchronisation},
    {"conntrack", "0", "connections pass by the host's connection tracking"},
    {"ignore_tunneled", "0", kNoTunnels},
    {"nat_icmp_send", "0", "what a masqueraded server sends without a connection is passed on to the host"},
    {"pmtu_disc", "1", kNoTunnels},
    {"run_estimation", "1", "counters and rates are always kept"},
    {"schedule_icmp", "0", "ICMP errors open no connections"},
    {"sloppy_sctp", "0", "SCTP is not carried yet"},
    {"snat_reroute", "1", "replies of masqueraded servers are always routed by their new source"},
    {"sync_persist_mode", "0", kNoSynchronisation},
    {"sync_ports", "1", kNoSynchronisation},
    {"sync_refresh_period", "0", kNoSynchronisation},
    {"sync_retries", "0", kNoSynchronisation},
    {"sync_sock_size", "0", kNoSynchronisation},
    {"sync_threshold", "3\t50", kNoSynchronisation},
    {"sync_version", "1", kNoSynchronisation},
};

constexpr bool are_sorted() {
  const auto by_name = [](const auto& left, const auto& right) { return left.name < right.name; };
  return std::is_sorted(kTunables.begin(), kTunables.end(), by_name) &&
         std::is_sorted(std::begin(kMeaningless), std::end(kMeaningless), by_name);
}
static_assert(are_sorted());

constexpr std::string_view kSpace = " \t\n\v\f\r";

Error wrong(const Setting& setting, ErrorCode code, const std::string& text) {
  return {code, std::string(kTunablePrefix) + setting.name + ": " + text};
}

// Words as one, however they are parted.
std::string words_of(std::string_view text) {
  std::string words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    if (text.empty()) return words;
    const std::size_t end = std::min(text.find_first_of(kSpace), text.size());
    if (!words.empty()) words += '\t';
    words += text.substr(0, end);
    text.remove_prefix(end);
  }
}

// As proc_dointvec() reads one: decimal, hexadecimal behind 0x, octal behind 0, with a minus or without.
std::optional<std::int32_t> number_of(const std::string& words) {
  std::string_view digits = words;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits.starts_with('0')) {
    base = 8;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  const std::uint64_t most = std::uint64_t{std::numeric_limits<std::int32_t>::max()} + (negative ? 1 : 0);
  if (error != std::errc{} || end != digits.data() + digits.size() || value > most) return std::nullopt;
  return static_cast<std::int32_t>(negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value));
}

Result<void> check_meaningless(const Setting& setting) {
  for (const Meaningless& each : kMeaningless) {
    if (each.name != setting.name) continue;
    if (words_of(setting.value) == each.initial) return {};
    return wrong(
        setting, ErrorCode::not_supported,
        "nothing but the default, " + words_of(each.initial) + ", can be had here: " + std::string(each.reason));
  }
  return wrong(setting, ErrorCode::no_such_setting, "there is no such setting");
}

}  // namespace

std::optional<std::size_t> tunable_index(std::string_view name) {
  for (std::size_t i = 0; i < kTunables.size(); ++i)
    if (kTunables[i].name == name) return i;
  return std::nullopt;
}

Result<void> check(const Setting& setting) {
  const auto index = tunable_index(setting.name);
  if (!index) return check_meaningless(setting);
  const auto value = number_of(words_of(setting.value));
  if (!value) return wrong(setting, ErrorCode::invalid, "\"" + setting.value + "\" is not a number of 32 bits");
  const Tunable& row = kTunables[*index];
  if (*value >= row.least && *value <= row.most) return {};
  return wrong(setting, ErrorCode::invalid,
               setting.value + " is not from " + std::to_string(row.least) + " to " + std::to_string(row.most));
}

void apply(const Setting& setting, Tunables& tunables) {
  if (const auto index = tunable_index(setting.name)) tunables[*index] = *number_of(words_of(setting.value));
}

std::vector<Setting> all_settings(const Tunables& tunables) {
  std::vector<Setting> all;
  for (std::size_t i = 0; i < kTunables.size(); ++i)
    all.push_back({std::string(kTunables[i].name), std::to_string(tunables[i])});
  for (const Meaningless& each : kMeaningless) all.push_back({std::string(each.name), std::string(each.initial)});
  std::sort(all.begin(), all.end(), [](const Setting& left, const Setting& right) { return left.name < right.name; });
  return all;
}

std::vector<Setting> changed_settings(const Tunables& tunables) {
  std::vector<Setting> changed;
  for (std::size_t i = 0; i < kTunables.size(); ++i)
    if (tunables[i] != kTunables[i].initial)
      changed.push_back({std::string(kTunables[i].name), std::to_string(tunables[i])});
  return changed;
}

}  // namespace limpet
