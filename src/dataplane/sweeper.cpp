// SPDX-License-Identifier: Apache-2.0
// Walks flows and templates for the ended ones.
#include "dataplane/sweeper.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cstring>

#include "dataplane/clock.h"
#include "dataplane/words.h"

namespace limpet::dataplane {

Sweeper::Sweeper(Object& object, Tables& tables)
    : object_(object), tables_(tables), flows_(object.map_fd("flows4")), templates_(object.map_fd("templates4")) {}

void Sweeper::step() {
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
  started_ = Clock::now();
  running_ = {};
  flows_ = BatchWalk<limpet_flow4_key, limpet_flow>(object_.map_fd("flows4"));
  templates_ = BatchWalk<limpet_template4_key, limpet_template>(object_.map_fd("templates4"));
  tables_.address_bits().begin_rebuild();
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
  std::uint32_t candidates = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const FlowWord word(flows_.value(i).word);
    if (word.life != LIMPET_LIFE_DEAD) keep_addresses(flows_.key(i), flows_.value(i));
    if (word.is_alive(now) || word.life == LIMPET_LIFE_BUSY) continue;
    if (word.life == LIMPET_LIFE_ALIVE) note_lag(word.expiry, now);
    std::memcpy(object_.sweep_request[0].keys[candidates++], &flows_.key(i), sizeof(limpet_flow4_key));
    if (candidates == LIMPET_SWEEP_KEYS) {
      run(LIMPET_SWEEP_FLOWS4, candidates);
      candidates = 0;
    }
  }
  running_.flows += count;
  run(LIMPET_SWEEP_FLOWS4, candidates);
  return count;
}

// The server's as well, if it is masqueraded for this flow: its destination may have another method by now.
void Sweeper::keep_addresses(const limpet_flow4_key& key, const limpet_flow& flow) {
  tables_.address_bits().keep(key.virtual_address);
  if (flow.method != LIMPET_MASQ) return;
  std::uint32_t server = 0;
  std::memcpy(&server, object_.destinations[flow.destination].address, sizeof(server));
  tables_.address_bits().keep(server);
}

std::size_t Sweeper::sweep_templates() {
  const std::size_t count = templates_.next(LIMPET_SWEEP_KEYS);
  const std::uint64_t now = ticks_now();
  std::uint32_t candidates = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const TemplateWord word(templates_.value(i).word);
    if (word.is_alive(now)) running_.template_sum += word.effective_expiry(now) << 1 | (word.assured ? 1 : 0);
    if (word.is_alive(now) || word.life == LIMPET_LIFE_BUSY) continue;
    if (word.life == LIMPET_LIFE_ALIVE) note_lag(word.expiry, now);
    std::memcpy(object_.sweep_request[0].keys[candidates++], &templates_.key(i), sizeof(limpet_template4_key));
    if (candidates == LIMPET_SWEEP_KEYS) {
      run(LIMPET_SWEEP_TEMPLATES4, candidates);
      candidates = 0;
    }
  }
  running_.templates += count;
  run(LIMPET_SWEEP_TEMPLATES4, candidates);
  return count;
}

void Sweeper::note_lag(std::uint64_t expiry, std::uint64_t now) {
  running_.lag = std::max(running_.lag, time_left(now, expiry));
}

void Sweeper::run(limpet_sweep_table table, std::uint32_t count) {
  if (count == 0) return;
  object_.sweep_request[0].table = table;
  object_.sweep_request[0].count = count;
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  ::bpf_prog_test_run_opts(object_.sweep_program(), &options);
}

}  // namespace limpet::dataplane
