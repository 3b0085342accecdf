// SPDX-License-Identifier: Apache-2.0
// The tables as bpf/abi.h describes them.
#include "tables.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>
#include <numeric>

#include "dataplane/keys.h"
#include "dataplane/list_range.h"
#include "world.h"

namespace limpet::packet {
namespace {

limpet_service_key key_of(const ServiceSpec& spec) {
  limpet_service_key key{};
  key.family = LIMPET_IPV4;
  key.mark = spec.mark;
  if (spec.mark != 0) return key;
  const std::uint32_t address = ip(spec.address);
  key.protocol = spec.protocol;
  key.port = htons(spec.port);
  std::memcpy(key.address, &address, sizeof(address));
  return key;
}

template <class Keys>
std::vector<Bytes> raw_keys(const Keys& entries) {
  std::vector<Bytes> keys;
  for (const auto& [key, value] : entries) {
    Bytes raw(sizeof(key));
    std::memcpy(raw.data(), &key, sizeof(key));
    keys.push_back(raw);
  }
  return keys;
}

std::uint64_t earlier(std::uint64_t expiry, std::uint64_t by) { return expiry > by ? expiry - by : 1; }

}  // namespace

std::uint64_t ticks_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const std::uint64_t seconds = static_cast<std::uint64_t>(now.tv_sec);
  return (seconds * LIMPET_SECOND_NS + static_cast<std::uint64_t>(now.tv_nsec)) >> LIMPET_TICK_SHIFT;
}

std::uint64_t ticks(double seconds) {
  return static_cast<std::uint64_t>(seconds * static_cast<double>(LIMPET_SECOND_NS)) >> LIMPET_TICK_SHIFT;
}

double seconds_left(std::uint64_t expiry) {
  const double tick = std::ldexp(1e-9, LIMPET_TICK_SHIFT);
  return (static_cast<double>(expiry) - static_cast<double>(ticks_now())) * tick;
}

limpet_flow4_key flow_key(const std::string& client, std::uint16_t client_port, const std::string& address,
                          std::uint16_t port, std::uint8_t protocol) {
  return {ip(client), ip(address), htons(client_port), htons(port), protocol, LIMPET_IPV4, 0};
}

std::uint32_t life_of(std::uint64_t word) { return static_cast<std::uint32_t>(word & LIMPET_LIFE_MASK); }

std::uint32_t state_of(const limpet_flow& flow) {
  return static_cast<std::uint32_t>(flow.word >> LIMPET_FLOW_STATE_SHIFT & LIMPET_FLOW_STATE_MASK);
}

double seconds_left(const limpet_flow& flow) { return seconds_left(flow.word >> LIMPET_FLOW_EXPIRY_SHIFT); }

double seconds_left(const limpet_template& entry) { return seconds_left(entry.word >> LIMPET_TEMPLATE_EXPIRY_SHIFT); }

std::uint32_t controlled(const limpet_template& entry) {
  return static_cast<std::uint32_t>(entry.word >> LIMPET_TEMPLATE_COUNT_SHIFT & LIMPET_TEMPLATE_COUNT_MASK);
}

Tables::Tables(Plane& plane)
    : plane_(plane),
      flows_(plane.map("flows4")),
      templates_(plane.map("templates4")),
      reverse_(plane.map("reverse4")),
      counts_(plane.map("counts")),
      counters_(plane.map("counters")),
      events_(plane.map("events")),
      destinations_(plane.map("destinations")),
      states_(plane.map("service_states")),
      lists_(plane.map("lists")),
      services_(plane.map("services")),
      nexthops_(plane.map("nexthops")),
      localities_(plane.map("localities")),
      locality_sets_(plane.map("locality_sets")) {}

void Tables::reset() {
  const auto cpus = static_cast<std::size_t>(plane_.cpus());
  flows_.clear<limpet_flow4_key>();
  templates_.clear<limpet_template4_key>();
  reverse_.clear<limpet_reverse4_key>();
  localities_.clear<limpet_locality_key>();
  locality_sets_.clear<limpet_locality_key>();
  services_.clear<limpet_service_key>();
  counts_.fill_with_zeros(kDestinations, sizeof(limpet_counts));
  destinations_.fill_with_zeros(kDestinations, sizeof(limpet_destination));
  counters_.fill_with_zeros(kDestinations, sizeof(limpet_counters) * cpus);
  events_.fill_with_zeros(LIMPET_EVENTS, sizeof(std::uint64_t) * cpus);
  plane_.map("icmp_budget").fill_with_zeros(1, sizeof(std::uint64_t) * cpus);
  plane_.map("flows_full").fill_with_zeros(1, sizeof(std::uint64_t));
  plane_.map("drop_counter").fill_with_zeros(1, sizeof(std::int64_t));
  states_.fill_with_zeros(kServices, sizeof(limpet_service_state));
  plane_.map("addresses").fill_with_zeros(1, sizeof(limpet_address_bitmap));
  forget_hops();
  forget_local_addresses();
  all_.clear();
  next_server_ = 1;
  next_range_ = 0;

  config_ = {};
  config_.abi_version = LIMPET_ABI_VERSION;
  config_.mark_ifindex = World::instance().limpet0();
  config_.client_hops = kDestinations;
  config_.conn_reuse_mode = 1;
  const std::uint32_t seconds[LIMPET_TCP_STATES] = {2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120};
  std::copy(std::begin(seconds), std::end(seconds), std::begin(config_.tcp_timeouts));
  config_.udp_timeout = 300;
  store_config();
}

void Tables::store_config() {
  const std::uint32_t zero = 0;
  plane_.map("config").update(&zero, &config_);
}

Service& Tables::add(const ServiceSpec& spec) {
  Service& service = all_.emplace_back();
  service.spec = spec;
  service.id = static_cast<std::uint32_t>(all_.size());
  store(service);
  publish(service);
  if (spec.mark == 0) add_address(ip(spec.address));
  return service;
}

void Tables::store(const Service& service) {
  limpet_service value{};
  value.id = service.id;
  value.flags = (service.spec.timeout != 0 ? LIMPET_SERVICE_PERSISTENT : 0) |
                (service.spec.one_packet ? LIMPET_SERVICE_ONE_PACKET : 0) | service.spec.scheduler_flags;
  value.timeout = service.spec.timeout;
  value.mask = ip(service.spec.mask);
  const limpet_service_key key = key_of(service.spec);
  services_.update(&key, &value);
}

void Tables::remove(const Service& service) {
  const limpet_service_key key = key_of(service.spec);
  services_.erase(&key);
}

std::uint32_t Tables::create_server(Service& service, const ServerSpec& server) {
  const std::uint32_t id = next_server_++;
  const std::uint32_t address = ip(server.address);
  limpet_destination value{};
  value.flags = LIMPET_DESTINATION_USED | LIMPET_DESTINATION_AVAILABLE;
  value.weight = server.load;
  value.last_weight = server.load;
  std::memcpy(value.address, &address, sizeof(address));
  value.port = htons(server.port);
  value.family = LIMPET_IPV4;
  value.method = static_cast<std::uint8_t>(server.method);
  value.nexthop = id;
  value.upper_threshold = server.upper;
  value.lower_threshold = server.lower;
  value.service = key_of(service.spec);
  value.service_id = service.id;
  store_destination(id, value);
  service.servers.insert(service.servers.begin(), id);
  if (server.method == LIMPET_MASQ) add_address(address);
  return id;
}

std::uint32_t Tables::add_server(Service& service, const ServerSpec& server) {
  const std::uint32_t id = create_server(service, server);
  publish(service);
  return id;
}

std::vector<std::uint32_t> Tables::add_servers(Service& service, const std::vector<ServerSpec>& servers) {
  std::vector<std::uint32_t> ids;
  for (const ServerSpec& server : servers) ids.push_back(create_server(service, server));
  publish(service);
  return ids;
}

void Tables::weigh(Service& service, std::uint32_t server, std::uint32_t weight) {
  limpet_destination value = destination(server);
  value.weight = weight;
  if (weight != 0) value.last_weight = weight;
  store_destination(server, value);
  publish(service);
}

void Tables::limit(Service& service, std::uint32_t server, std::uint32_t upper, std::uint32_t lower) {
  limpet_destination value = destination(server);
  value.upper_threshold = upper;
  value.lower_threshold = lower;
  store_destination(server, value);
  judge_overload(server);
  publish(service);
}

// What limpetd does when thresholds change (ip_vs_ctl.c, __ip_vs_update_dest()).
void Tables::judge_overload(std::uint32_t server) const {
  const limpet_destination d = destination(server);
  limpet_counts c = counts(server);
  const auto total = static_cast<std::uint32_t>(c.total);
  const std::uint32_t lower = d.lower_threshold != 0 ? d.lower_threshold : d.upper_threshold - d.upper_threshold / 4;
  if (d.upper_threshold == 0 || total < lower) c.overloaded = 0;
  if (d.upper_threshold != 0 && total >= d.upper_threshold) c.overloaded = 1;
  set_counts(server, c);
}

void Tables::remove_server(Service& service, std::uint32_t server) {
  limpet_destination value = destination(server);
  value.flags &= ~static_cast<std::uint32_t>(LIMPET_DESTINATION_AVAILABLE);
  store_destination(server, value);
  std::erase(service.servers, server);
  publish(service);
}

void Tables::restore_server(Service& service, std::uint32_t server) {
  limpet_destination value = destination(server);
  value.flags |= LIMPET_DESTINATION_AVAILABLE;
  store_destination(server, value);
  service.servers.insert(service.servers.begin(), server);
  publish(service);
}

// A range of its own for each generation, as packets may still read the old one.
void Tables::publish(Service& service) {
  bool thresholds = false;
  dataplane::DestinationList list;
  for (const std::uint32_t id : service.servers) {
    const limpet_destination d = destination(id);
    thresholds = thresholds || d.upper_threshold != 0;
    list.push_back(
        {id, d.weight, d.last_weight, dataplane::get_address(d.address, d.family), dataplane::port_of(d.port)});
  }
  const auto range = dataplane::list_range({service.spec.scheduler, service.spec.scheduler_flags, kMaglevKey},
                                           {service.start_index, service.start_value}, list);
  const auto length = static_cast<std::uint32_t>(range.size());
  if (next_range_ + length > kLists) next_range_ = 0;
  for (std::uint32_t i = 0; i < length; i++) {
    const std::uint32_t slot = next_range_ + i;
    lists_.update(&slot, &range[i]);
  }
  service.generation = service.generation % LIMPET_PUBLISHED_GENERATION_MASK + 1;  // 1..4095: 0 is the empty cursor's
  limpet_service_state state{};
  states_.lookup(&service.id, &state);
  state.flags = (thresholds ? LIMPET_STATE_THRESHOLDS : 0U) | (service.spec.one_packet ? LIMPET_STATE_ONE_PACKET : 0U);
  if (state.published >> LIMPET_PUBLISHED_SCHEDULER_SHIFT != service.spec.scheduler) state.epoch++;
  state.published = static_cast<std::uint64_t>(next_range_) << LIMPET_PUBLISHED_BASE_SHIFT |
                    static_cast<std::uint64_t>(list.size()) << LIMPET_PUBLISHED_COUNT_SHIFT |
                    static_cast<std::uint64_t>(service.generation) << LIMPET_PUBLISHED_GENERATION_SHIFT |
                    static_cast<std::uint64_t>(service.spec.scheduler) << LIMPET_PUBLISHED_SCHEDULER_SHIFT;
  states_.update(&service.id, &state);
  next_range_ += length;
}

void Tables::store_destination(std::uint32_t id, const limpet_destination& destination) const {
  destinations_.update(&id, &destination);
}

std::vector<FlowEntry> Tables::flows() const { return flows_.all<limpet_flow4_key, limpet_flow>(); }

std::optional<limpet_flow> Tables::flow(const limpet_flow4_key& key) const {
  return flows_.get<limpet_flow4_key, limpet_flow>(key);
}

void Tables::put(const limpet_flow4_key& key, const limpet_flow& flow) const { flows_.update(&key, &flow); }

void Tables::put(const TemplateEntry& entry) const { templates_.update(&entry.first, &entry.second); }

std::vector<TemplateEntry> Tables::templates() const { return templates_.all<limpet_template4_key, limpet_template>(); }

std::vector<LocalityEntry> Tables::localities() const {
  return localities_.all<limpet_locality_key, limpet_locality>();
}

std::vector<LocalitySetEntry> Tables::locality_sets() const {
  return locality_sets_.all<limpet_locality_key, limpet_locality_set>();
}

std::size_t Tables::reverse_entries() const { return reverse_.all<limpet_reverse4_key, limpet_reverse>().size(); }

limpet_counts Tables::counts(std::uint32_t server) const {
  return counts_.get<std::uint32_t, limpet_counts>(server).value();
}

void Tables::set_counts(std::uint32_t server, const limpet_counts& counts) const { counts_.update(&server, &counts); }

limpet_counters Tables::counters(std::uint32_t server) const {
  std::vector<limpet_counters> each(static_cast<std::size_t>(plane_.cpus()));
  limpet_counters sum{};
  counters_.lookup(&server, each.data());
  for (const auto& cpu : each) {
    sum.connections += cpu.connections;
    sum.in_packets += cpu.in_packets;
    sum.out_packets += cpu.out_packets;
    sum.in_bytes += cpu.in_bytes;
    sum.out_bytes += cpu.out_bytes;
  }
  return sum;
}

std::uint64_t Tables::events(limpet_event event) const {
  std::vector<std::uint64_t> each(static_cast<std::size_t>(plane_.cpus()));
  const std::uint32_t key = event;
  events_.lookup(&key, each.data());
  return std::accumulate(each.begin(), each.end(), std::uint64_t{0});
}

limpet_destination Tables::destination(std::uint32_t server) const {
  return destinations_.get<std::uint32_t, limpet_destination>(server).value();
}

std::uint64_t Tables::cursor(const Service& service) const {
  return states_.get<std::uint32_t, limpet_service_state>(service.id).value().cursor;
}

bool Tables::nothing_is_recorded() const {
  for (std::uint32_t id = 0; id < next_server_; id++) {
    const limpet_counts c = counts(id);
    const limpet_counters n = counters(id);
    if (c.active != 0 || c.total != 0 || c.persistent != 0) return false;
    if (n.connections + n.in_packets + n.out_packets + n.in_bytes + n.out_bytes != 0) return false;
  }
  for (const Service& service : all_) {
    if (cursor(service) != 0) return false;
  }
  return flows().empty() && templates().empty() && reverse_entries() == 0;
}

void Tables::let_pass(double seconds) const {
  const std::uint64_t by = ticks(seconds);
  for (auto [key, flow] : flows()) {
    const std::uint64_t rest = flow.word & ((1ULL << LIMPET_FLOW_EXPIRY_SHIFT) - 1);
    flow.word = earlier(flow.word >> LIMPET_FLOW_EXPIRY_SHIFT, by) << LIMPET_FLOW_EXPIRY_SHIFT | rest;
    flows_.update(&key, &flow);
  }
  for (auto [key, entry] : templates()) {
    const std::uint64_t rest = entry.word & ((1ULL << LIMPET_TEMPLATE_EXPIRY_SHIFT) - 1);
    entry.word = earlier(entry.word >> LIMPET_TEMPLATE_EXPIRY_SHIFT, by) << LIMPET_TEMPLATE_EXPIRY_SHIFT | rest;
    templates_.update(&key, &entry);
  }
  for (auto [key, entry] : localities()) {
    entry.changed = earlier(entry.changed, by);
    entry.used = earlier(entry.used, by);
    localities_.update(&key, &entry);
  }
  for (auto [key, entry] : locality_sets()) {
    entry.changed = earlier(entry.changed, by);
    entry.used = earlier(entry.used, by);
    locality_sets_.update(&key, &entry);
  }
}

void Tables::freshen_hops() const {
  const std::map<std::uint32_t, Mac> macs = {
      {ip(kServerA), kServerAMac}, {ip(kServerB), kServerBMac}, {ip(kServerC), kServerCMac}};
  for (std::uint32_t id = 1; id < next_server_; id++) {
    std::uint32_t address = 0;
    std::memcpy(&address, destination(id).address, sizeof(address));
    const auto mac = macs.find(address);
    if (mac == macs.end()) continue;
    limpet_nexthop slot{};
    slot.word = static_cast<std::uint64_t>(address) << LIMPET_NEXTHOP_TAG_SHIFT |
                (ticks_now() << LIMPET_NEXTHOP_TICKS_SHIFT & LIMPET_NEXTHOP_TICKS_MASK);
    slot.hop[0].ifindex = World::instance().eth0();
    slot.hop[0].mtu = 1500;
    slot.hop[0].kind = LIMPET_HOP_READY;
    slot.hop[0].family = LIMPET_IPV4;
    std::copy(kDirectorMac.begin(), kDirectorMac.end(), std::begin(slot.hop[0].source_mac));
    std::copy(mac->second.begin(), mac->second.end(), std::begin(slot.hop[0].destination_mac));
    nexthops_.update(&id, &slot);
  }
}

void Tables::forget_hops() const {
  nexthops_.fill_with_zeros(kDestinations + LIMPET_CLIENT_HOPS, sizeof(limpet_nexthop));
}

void Tables::forget_local_addresses() const {
  plane_.map("local_cache").fill_with_zeros(LIMPET_LOCAL_SLOTS, sizeof(std::uint64_t));
}

void Tables::sweep(limpet_sweep_table of_flows, limpet_sweep_table of_templates) const {
  plane_.sweep(of_flows, raw_keys(flows()));
  plane_.sweep(of_templates, raw_keys(templates()));
}

void Tables::add_address(std::uint32_t address) const {
  const std::uint32_t zero = 0;
  const Map addresses = plane_.map("addresses");
  auto bitmap = addresses.get<std::uint32_t, limpet_address_bitmap>(zero).value();
  const std::uint32_t bit = (address * 0x9e3779b1U) >> 16;
  for (auto& bank : bitmap.bank) bank[bit / 64] |= 1ULL << (bit % 64);
  addresses.update(&zero, &bitmap);
}

}  // namespace limpet::packet
