// SPDX-License-Identifier: Apache-2.0
// What a control plane would write into the tables, and what a test wants to read back.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/hash_key.h"
#include "plane.h"

namespace limpet::packet {

using FlowEntry = std::pair<limpet_flow4_key, limpet_flow>;
using TemplateEntry = std::pair<limpet_template4_key, limpet_template>;
using LocalityEntry = std::pair<limpet_locality_key, limpet_locality>;
using LocalitySetEntry = std::pair<limpet_locality_key, limpet_locality_set>;

constexpr dataplane::HashKey kMaglevKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

// Service and server as on ipvsadm's command line.
struct ServiceSpec {
  std::uint8_t protocol = 6;
  std::string address;
  std::uint16_t port = 0;
  std::uint32_t mark = 0;
  limpet_scheduler scheduler = LIMPET_RR;
  std::uint32_t scheduler_flags = 0;
  std::uint32_t timeout = 0;  // 0: not persistent
  std::string mask = "255.255.255.255";
  bool one_packet = false;

  ServiceSpec& scheduled(limpet_scheduler by, std::uint32_t flags = 0) {
    return scheduler = by, scheduler_flags = flags, *this;
  }
  ServiceSpec& persistent(std::uint32_t seconds) { return timeout = seconds, *this; }
  ServiceSpec& of_one_packet() { return one_packet = true, *this; }
  ServiceSpec& masked(const std::string& netmask) { return mask = netmask, *this; }
};
inline ServiceSpec tcp_service(const std::string& address, std::uint16_t port) { return {6, address, port}; }
inline ServiceSpec udp_service(const std::string& address, std::uint16_t port) { return {17, address, port}; }
inline ServiceSpec mark_service(std::uint32_t mark) { return {0, "0.0.0.0", 0, mark}; }

struct ServerSpec {
  std::string address;
  std::uint16_t port = 80;
  limpet_method method = LIMPET_ROUTE;
  std::uint32_t load = 1;
  std::uint32_t upper = 0;
  std::uint32_t lower = 0;

  ServerSpec& weight(std::uint32_t value) { return load = value, *this; }
  ServerSpec& thresholds(std::uint32_t upper_one, std::uint32_t lower_one = 0) {
    return upper = upper_one, lower = lower_one, *this;
  }
};
inline ServerSpec route(const std::string& address, std::uint16_t port = 80) { return {address, port, LIMPET_ROUTE}; }
inline ServerSpec masq(const std::string& address, std::uint16_t port = 80) { return {address, port, LIMPET_MASQ}; }

struct Service {
  ServiceSpec spec;
  std::uint32_t id = 0;
  std::uint32_t generation = 0;
  std::vector<std::uint32_t> servers;  // ids, the last one added first
  std::uint32_t start_index = LIMPET_CURSOR_HEAD;
  std::uint32_t start_value = 0;
};

class Tables {
 public:
  explicit Tables(Plane& plane);
  void reset();

  Service& add(const ServiceSpec& spec);
  void store(const Service& service);  // what its spec says, without its servers and scheduler: publish()
  void remove(const Service& service);
  std::uint32_t add_server(Service& service, const ServerSpec& server);  // returns its id, and publishes
  std::vector<std::uint32_t> add_servers(Service& service, const std::vector<ServerSpec>& servers);  // in this order
  void weigh(Service& service, std::uint32_t server, std::uint32_t weight);
  void limit(Service& service, std::uint32_t server, std::uint32_t upper, std::uint32_t lower = 0);  // -x, -y
  void remove_server(Service& service, std::uint32_t server);  // kept, unavailable
  void restore_server(Service& service, std::uint32_t server);
  void publish(Service& service);
  limpet_config& config() { return config_; }
  void store_config();

  [[nodiscard]] std::vector<FlowEntry> flows() const;
  [[nodiscard]] std::optional<limpet_flow> flow(const limpet_flow4_key& key) const;
  void put(const limpet_flow4_key& key, const limpet_flow& flow) const;
  [[nodiscard]] std::vector<TemplateEntry> templates() const;
  void put(const TemplateEntry& entry) const;
  [[nodiscard]] std::size_t reverse_entries() const;
  [[nodiscard]] std::vector<LocalityEntry> localities() const;        // lblc's
  [[nodiscard]] std::vector<LocalitySetEntry> locality_sets() const;  // lblcr's
  [[nodiscard]] limpet_counts counts(std::uint32_t server) const;
  void set_counts(std::uint32_t server, const limpet_counts& counts) const;
  [[nodiscard]] limpet_counters counters(std::uint32_t server) const;
  [[nodiscard]] std::uint64_t events(limpet_event event) const;
  [[nodiscard]] limpet_destination destination(std::uint32_t server) const;
  [[nodiscard]] std::uint64_t cursor(const Service& service) const;
  // Everything a packet that is none of ours must leave as it was.
  [[nodiscard]] bool nothing_is_recorded() const;

  // Makes `seconds` pass for every flow and template, by moving their expiries into the past; not before the machine's
  // start, so a test must not reckon with what expired longer ago than that.
  void let_pass(double seconds) const;
  // Writes the next hops of servers A, B and C as just refreshed, so that no packet becomes the neighbour's probe.
  void freshen_hops() const;
  void forget_hops() const;
  void forget_local_addresses() const;
  // One pass of the sweeper over both tables.
  void sweep() const { sweep(LIMPET_SWEEP_FLOWS4, LIMPET_SWEEP_TEMPLATES4); }
  // The same with other judgements.
  void sweep(limpet_sweep_table flows, limpet_sweep_table templates) const;
  void add_address(std::uint32_t address) const;

 private:
  std::uint32_t create_server(Service& service, const ServerSpec& server);
  void store_destination(std::uint32_t id, const limpet_destination& destination) const;
  void judge_overload(std::uint32_t server) const;

  Plane& plane_;
  Map flows_, templates_, reverse_, counts_, counters_, events_, destinations_, states_, lists_, services_, nexthops_,
      localities_, locality_sets_;
  limpet_config config_{};
  std::deque<Service> all_;
  std::uint32_t next_server_ = 1;
  std::uint32_t next_range_ = 0;
};

// Ticks of the data plane's clock.
std::uint64_t ticks_now();
std::uint64_t ticks(double seconds);
double seconds_left(std::uint64_t expiry);

limpet_flow4_key flow_key(const std::string& client, std::uint16_t client_port, const std::string& address,
                          std::uint16_t port, std::uint8_t protocol = 6);
std::uint32_t life_of(std::uint64_t word);
std::uint32_t state_of(const limpet_flow& flow);
double seconds_left(const limpet_flow& flow);
double seconds_left(const limpet_template& entry);
std::uint32_t controlled(const limpet_template& entry);

}  // namespace limpet::packet
