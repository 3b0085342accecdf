// SPDX-License-Identifier: Apache-2.0
// Plays steps: what limpetd would do for the commands, what the network would bring.
#include "steps.h"

#include <algorithm>
#include <numeric>
#include <sstream>
#include <stdexcept>

namespace limpet::packet {
namespace {

const std::string kServers[] = {kServerA, kServerB, kServerC};
constexpr Mac kMacs[] = {kServerAMac, kServerBMac, kServerCMac};
constexpr std::uint32_t kMark = 7;

std::vector<std::string> words_of(std::string text, char separator = ' ') {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, separator);)
    if (!word.empty()) words.push_back(word);
  return words;
}

std::uint32_t number(const std::string& text) { return static_cast<std::uint32_t>(std::stoul(text)); }

limpet_scheduler scheduler_of(const std::string& name) {
  const char* const names[] = {"rr", "wrr", "lc",  "wlc", "lblc", "lblcr", "dh",
                               "sh", "mh",  "sed", "nq",  "fo",   "ovf",   "twos"};
  const auto at = std::find(std::begin(names), std::end(names), name);
  if (at == std::end(names)) throw std::invalid_argument(name);
  return static_cast<limpet_scheduler>(at - std::begin(names));
}

ServiceSpec service_of(const std::string& text) {
  if (text == "-f 7") return mark_service(kMark);
  return text.starts_with("-u") ? udp_service(kVip, 80) : tcp_service(kVip, 80);
}

}  // namespace

std::string Steps::play(const std::string& service, const std::string& options, const std::string& steps) {
  ids_.clear();
  opened_.clear();
  tables.config().tcp_timeouts[LIMPET_TCP_FIN_WAIT] = 1;  // ipvsadm --set 0 1 1
  tables.config().udp_timeout = 1;
  tables.store_config();
  service_ = &tables.add(service_of(service));
  begin_ = {};
  set_options(options);
  std::string chosen;
  for (const std::string& step : words_of(steps)) {
    const std::string rest = step.substr(1);
    switch (step[0]) {
      case 'o':
        chosen += open(6, rest);
        break;
      case 'u':
        chosen += open(17, rest);
        break;
      case 'c':
        close(opened_.at(number(rest) - 1));
        break;
      case 'w':
        wait();
        break;
      case 'E':
        set_options(rest.substr(1));
        break;
      case 'S':
        set(rest.substr(1));
        break;
      default:
        edit(step[0], rest);
    }
  }
  return chosen;
}

void Steps::set_options(const std::string& options) {
  std::string text = options;
  std::replace(text.begin(), text.end(), '_', ' ');
  const std::vector<std::string> words = words_of(text);
  const Place here = place();
  ServiceSpec& spec = service_->spec;
  const limpet_scheduler before = spec.scheduler;
  spec.timeout = 0;
  spec.one_packet = false;
  for (std::size_t i = 0; i < words.size(); i++) {
    if (words[i] == "-s") spec.scheduler = scheduler_of(words.at(++i));
    if (words[i] == "-o") spec.one_packet = true;
    if (words[i] == "-p") spec.timeout = number(words.at(++i));
  }
  tables.store(*service_);
  go_on(spec.scheduler == before ? here : Place{});
}

void Steps::set(const std::string& assignment) {
  const std::vector<std::string> words = words_of(assignment, '=');
  if (words.at(0) == "lblcr_expiration") tables.config().lblcr_expiration = number(words.at(1));
  tables.store_config();
}

void Steps::edit(char kind, const std::string& step) {
  const int which = step[0] - '0';
  const std::vector<std::uint32_t> before = service_->servers;
  const Place here = place();
  if (kind == 'd') {
    tables.remove_server(*service_, ids_.at(which));
  } else {
    const std::vector<std::string> values = words_of(step.substr(2), ',');
    const std::uint32_t upper = values.size() > 1 ? number(values[1]) : 0;
    const std::uint32_t lower = values.size() > 2 ? number(values[2]) : 0;
    if (!ids_.contains(which)) {
      ids_[which] = tables.add_server(*service_, route(kServers[which - 1]));
    } else if (kind == 'a') {
      tables.restore_server(*service_, ids_[which]);
    }
    tables.limit(*service_, ids_[which], upper, lower);
    tables.weigh(*service_, ids_[which], number(values[0]));
  }
  go_on(after_edit(here, before));
}

Steps::Place Steps::place() const {
  const std::uint64_t cursor = tables.cursor(*service_);
  if (cursor >> LIMPET_CURSOR_GENERATION_SHIFT != service_->generation) return begin_;
  return {static_cast<std::uint32_t>(cursor >> LIMPET_CURSOR_INDEX_SHIFT & LIMPET_CURSOR_INDEX_MASK),
          static_cast<std::uint32_t>(cursor & LIMPET_CURSOR_VALUE_MASK)};
}

void Steps::go_on(Place from) {
  service_->start_index = from.index;
  service_->start_value = from.value;
  begin_ = from;
  tables.publish(*service_);
}

// As ip_vs_rr_del_dest() and ip_vs_wrr_dest_changed() have it. `before`: the list until then.
Steps::Place Steps::after_edit(Place place, const std::vector<std::uint32_t>& before) const {
  const std::vector<std::uint32_t>& servers = service_->servers;
  if (service_->spec.scheduler == LIMPET_WRR) {
    std::uint32_t highest = 0;
    std::uint32_t divisor = 0;
    for (const std::uint32_t id : servers) {
      highest = std::max(highest, tables.destination(id).weight);
      divisor = std::gcd(divisor, tables.destination(id).weight);
    }
    const std::uint32_t top = highest == 0 ? 0 : highest - (divisor - 1);
    if (place.value > top || place.value == 0) return {LIMPET_CURSOR_HEAD, top};
    return {LIMPET_CURSOR_HEAD, divisor > 1 ? place.value / divisor * divisor + 1 : place.value};
  }
  for (std::size_t i = place.index < before.size() ? place.index + 1 : 0; i-- > 0;) {
    const auto at = std::ranges::find(servers, before[i]);
    if (at != servers.end()) return {static_cast<std::uint32_t>(at - servers.begin()), 0};
  }
  return {};
}

char Steps::open(std::uint8_t protocol, const std::string& step) {
  const std::vector<std::string> words = words_of(step, '.');
  const Opened opened{words.size() > 1 ? "10.1.0." + std::to_string(100 + number(words[1])) : "10.1.0.1",
                      static_cast<std::uint16_t>(20001 + opened_.size()),
                      words[0] == "0" ? kVip : "10.9.0." + words[0]};
  opened_.push_back(opened);
  const Packet from_client = packet().from(opened.client, opened.port).to(opened.address, 80);
  const Door door = service_->spec.mark != 0 ? Door::kMark : Door::kTc;
  const auto first = protocol == 6 ? Packet(from_client).tcp(kSyn) : Packet(from_client).udp();
  const Outcome out = run(door, first, service_->spec.mark);
  if (protocol == 6) run(door, Packet(from_client).tcp(kAck), service_->spec.mark);
  for (std::size_t i = 0; i < std::size(kMacs); i++)
    if (out.verdict == Verdict::kSent && out.view().destination_mac() == kMacs[i]) return static_cast<char>('1' + i);
  return '-';
}

void Steps::close(const Opened& opened) {
  run(service_->spec.mark != 0 ? Door::kMark : Door::kTc,
      packet().from(opened.client, opened.port).to(opened.address, 80).tcp(kFin | kAck), service_->spec.mark);
}

void Steps::wait() {
  tables.let_pass(2.6);
  tables.sweep();
}

}  // namespace limpet::packet
