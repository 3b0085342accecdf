// SPDX-License-Identifier: Apache-2.0
// Walks flows and templates for the ended ones.
#include "dataplane/sweeper.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/clock.h"
#include "dataplane/words.h"

namespace limpet::dataplane {

Sweeper::Sweeper(Object& object, Tables& tables)
    : object_(object),
      tables_(tables),
      localities_(object),
      flows_(object.map_fd("flows4")),
      templates_(object.map_fd("templates4")) {}

void Sweeper::step() {
  localities_.step();
  const auto now = Clock::now();
  if (stage_ == Stage::done) {
    if (now - started_ < std::chrono::seconds(1)) return;
    begin_pass();
  }
  credit_ = std::min<std::chrono::nanoseconds>(credit_ + kBudget, kBudget);
  const std::uint64_t before = running_.flows + running_.templates;
  auto at = cpu_time();
  for (bool more = true; more && Clock::now() - now < kLongest;) {
    const std::uint64_t most = share();
    if (most != 0 ? running_.flows + running_.templates - before >= most : credit_.count() <= 0) return;
    more = advance();
    const auto after = cpu_time();
    if (most == 0) credit_ -= after - at;
    at = after;
  }
}

// Entries to look at in this call, so that a pass takes a second over what the last one has seen; 0: too much for that,
// by the last pass or by this one, which a flood may have overtaken: the budget decides.
std::uint64_t Sweeper::share() const {
  const std::uint64_t last = status_.flows + status_.templates;
  const std::uint64_t known = std::max(last, running_.flows + running_.templates);
  return known <= kUnhurried ? last / 18 + LIMPET_SWEEP_KEYS : 0;
}

void Sweeper::begin_pass() {
  const auto now = Clock::now();
  const std::chrono::duration<double> since = now - started_;
  chance_ = drops_ ? static_cast<std::uint32_t>(65536 * std::min(since.count() / 32, 1.0)) : 0;
  started_ = now;
  running_ = {};
  flows_ = BatchWalk<limpet_flow4_key, limpet_flow>(object_.map_fd("flows4"));
  templates_ = BatchWalk<limpet_template4_key, limpet_template>(object_.map_fd("templates4"));
  tables_.address_bits().begin_rebuild();
  expires_ = std::exchange(expire_due_, false);
  // Flows first: their end releases templates.
  stage_ = Stage::flows;
}

bool Sweeper::advance() {
  if (stage_ == Stage::flows) {
    if (sweep_flows() == 0) stage_ = Stage::templates;
  } else if (stage_ == Stage::templates && sweep_templates() == 0) {
    end_pass();
  }
  return stage_ != Stage::done;
}

void Sweeper::end_pass() {
  for (const Address& address : tables_.addresses())
    if (address.family() == Family::ipv4) tables_.address_bits().keep(address.ipv4_network_order());
  tables_.address_bits().end_rebuild();
  running_.last_pass = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
  status_ = running_;
  stage_ = Stage::done;
}

std::size_t Sweeper::sweep_flows() {
  const std::size_t count = flows_.next(LIMPET_SWEEP_KEYS);
  const std::uint64_t now = ticks_now();
  for (std::size_t i = 0; i < count; ++i) {
    const FlowWord word(flows_.value(i).word);
    if (word.life != LIMPET_LIFE_DEAD) keep_addresses(flows_.key(i), flows_.value(i));
    if (word.life == LIMPET_LIFE_BUSY) continue;
    if (word.is_alive(now)) {
      if (expires_ && is_unavailable(flows_.value(i).destination)) note(LIMPET_EXPIRE_FLOWS4, flows_.key(i));
      if (chance_ != 0 && is_drawn() && is_to_drop(flows_.key(i), word, now)) note(LIMPET_DROP_FLOWS4, flows_.key(i));
      continue;
    }
    if (word.life == LIMPET_LIFE_ALIVE) note_lag(word.expiry, now);
    note(LIMPET_SWEEP_FLOWS4, flows_.key(i));
  }
  running_.flows += count;
  run_noted();
  return count;
}

// The server's as well, if it is masqueraded for this flow: its destination may have another method by now.
void Sweeper::keep_addresses(const limpet_flow4_key& key, const limpet_flow& flow) {
  if (flow.destination != LIMPET_BYPASS) tables_.address_bits().keep(key.virtual_address);
  if (flow.method != LIMPET_MASQ) return;
  std::uint32_t server = 0;
  std::memcpy(&server, object_.destinations[flow.destination].address, sizeof(server));
  tables_.address_bits().keep(server);
}

std::size_t Sweeper::sweep_templates() {
  const std::size_t count = templates_.next(LIMPET_SWEEP_KEYS);
  const std::uint64_t now = ticks_now();
  for (std::size_t i = 0; i < count; ++i) {
    const TemplateWord word(templates_.value(i).word);
    if (word.life == LIMPET_LIFE_BUSY) continue;
    if (word.is_alive(now)) {
      running_.template_sum += word.effective_expiry(now) << 1 | (word.assured ? 1 : 0);
      if (expires_ && word.controlled == 0 && is_unavailable(templates_.value(i).destination))
        note(LIMPET_EXPIRE_TEMPLATES4, templates_.key(i));
      if (chance_ != 0 && word.controlled == 0 && !word.assured && is_drawn())
        note(LIMPET_DROP_TEMPLATES4, templates_.key(i));
      continue;
    }
    if (word.life == LIMPET_LIFE_ALIVE) note_lag(word.expiry, now);
    note(LIMPET_SWEEP_TEMPLATES4, templates_.key(i));
  }
  running_.templates += count;
  run_noted();
  return count;
}

bool Sweeper::is_unavailable(std::uint32_t destination) const {
  return destination != LIMPET_BYPASS && (object_.destinations[destination].flags & LIMPET_DESTINATION_AVAILABLE) == 0;
}

void Sweeper::note_lag(std::uint64_t expiry, std::uint64_t now) {
  running_.lag = std::max(running_.lag, time_left(now, expiry));
}

bool Sweeper::is_drawn() { return (random_() >> 8 & 0xffff) < chance_; }

// ip_vs_random_dropentry(), todrop_entry(): half-open ones; of those that have been idle for 60 seconds after n packets
// from the client, n up to 8, every nth.
bool Sweeper::is_to_drop(const limpet_flow4_key& key, const FlowWord& word, std::uint64_t now) {
  constexpr std::uint64_t kIdle = LIMPET_SECONDS_TO_TICKS(60);
  const limpet_config& c = object_.config[0];
  const bool tcp = key.protocol == IPPROTO_TCP;
  if (tcp && (word.state == LIMPET_TCP_SYN_RECV || word.state == LIMPET_TCP_SYNACK)) return true;
  if (tcp && word.state != LIMPET_TCP_ESTABLISHED) return false;
  const std::uint64_t timeout =
      LIMPET_SECONDS_TO_TICKS(std::uint64_t{tcp ? c.tcp_timeouts[word.state] : c.udp_timeout});
  if (word.packets == 0 || word.packets >= LIMPET_FLOW_PACKETS_MANY || word.expiry + kIdle > now + timeout)
    return false;
  unsigned& left = drop_in_[word.packets];
  if (left > 1) return --left, false;
  left = word.packets;
  return true;
}

template <class Key>
void Sweeper::note(limpet_sweep_table table, const Key& key) {
  static_assert(sizeof(Key) == sizeof(SweepKey));
  std::memcpy(noted_[table].emplace_back().data(), &key, sizeof(key));
}

void Sweeper::run_noted() {
  for (std::size_t table = 0; table < noted_.size(); ++table) {
    for (std::span<const SweepKey> rest = noted_[table]; !rest.empty();) {
      const auto piece = rest.first(std::min<std::size_t>(rest.size(), LIMPET_SWEEP_KEYS));
      run(static_cast<limpet_sweep_table>(table), piece);
      rest = rest.subspan(piece.size());
    }
    noted_[table].clear();
  }
}

void Sweeper::run(limpet_sweep_table table, std::span<const SweepKey> keys) {
  limpet_sweep& request = object_.sweep_request[0];
  request.table = table;
  request.count = static_cast<std::uint32_t>(keys.size());
  std::memcpy(request.keys, keys.data(), keys.size_bytes());
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  ::bpf_prog_test_run_opts(object_.sweep_program(), &options);
}

}  // namespace limpet::dataplane
