// SPDX-License-Identifier: Apache-2.0
// The page of `limpet services`.
#include "programs/limpet_services.h"

#include <algorithm>

#include "programs/limpet_text.h"

namespace limpet {
namespace {

using text::Table;

struct Connections {
  std::uint64_t active = 0;
  std::uint64_t inactive = 0;
  std::uint64_t persistent = 0;
};

// A service's line has no weight.
void add_row(Table& table, std::string name, std::string how, std::string weight, const Connections& connections,
             const Counters& counters, const Rates& rates) {
  table.add({std::move(name), std::move(how), std::move(weight), std::to_string(connections.active),
             std::to_string(connections.inactive), std::to_string(connections.persistent),
             text::count(counters.connections), text::bytes(counters.in_bytes), text::bytes(counters.out_bytes),
             text::count(rates.connections), text::bytes(rates.in_bytes), text::bytes(rates.out_bytes)});
}

void add_service(Table& table, const ServiceView& view) {
  Connections sum;
  for (const DestinationView& server : view.destinations) {
    sum.active += server.active;
    sum.inactive += server.inactive;
    sum.persistent += server.persistent;
  }
  add_row(table, text::name(view.service.key), text::scheduling(view.service), "", sum, view.counters, view.rates);
  for (const DestinationView& server : view.destinations) {
    const Destination& d = server.destination;
    add_row(table, "  " + text::endpoint(d.key.address, d.key.port), text::name(d.method), std::to_string(d.weight),
            {server.active, server.inactive, server.persistent}, server.counters, server.rates);
  }
}

}  // namespace

std::string services_page(std::vector<ServiceView> services) {
  if (services.empty()) return "There are no services; limpetadm -A adds one.\n";
  std::sort(services.begin(), services.end(),
            [](const ServiceView& left, const ServiceView& right) { return left.service.key < right.service.key; });
  constexpr auto kRight = Table::Align::right;
  Table table({{"SERVICE, SERVERS"},
               {"HOW"},
               {"WEIGHT", kRight},
               {"ACTIVE", kRight},
               {"INACTIVE", kRight},
               {"CLIENTS", kRight},
               {"CONNS", kRight},
               {"IN", kRight},
               {"OUT", kRight},
               {"CONNS/S", kRight},
               {"IN/S", kRight},
               {"OUT/S", kRight}});
  for (const ServiceView& view : services) add_service(table, view);
  return table.to_string();
}

}  // namespace limpet
