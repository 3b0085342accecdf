// SPDX-License-Identifier: Apache-2.0
// What can be seen as JSON: services with their counts, counters, rates and connections.
#include "json/json.h"
#include "json/model_names.h"
#include "json/names.h"
#include "json/object_reader.h"

namespace limpet::json_codec {
namespace {

// Counters and Rates have the same five fields: totals and per second.
template <class T>
Json five_counts_to_json(const T& counts) {
  return {{"connections", counts.connections},
          {"in_packets", counts.in_packets},
          {"out_packets", counts.out_packets},
          {"in_bytes", counts.in_bytes},
          {"out_bytes", counts.out_bytes}};
}

template <class T>
Result<T> five_counts_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  T counts;
  reader.read("connections", counts.connections);
  reader.read("in_packets", counts.in_packets);
  reader.read("out_packets", counts.out_packets);
  reader.read("in_bytes", counts.in_bytes);
  reader.read("out_bytes", counts.out_bytes);
  return reader.finish(counts);
}

void read_endpoint(ObjectReader& reader, std::string_view name, Address& address, Port& port) {
  Endpoint endpoint{address, port};
  reader.require(name);
  reader.read_text(name, "an address and a port such as \"10.0.0.1:80\"", endpoint_from_string, endpoint);
  address = endpoint.address;
  port = endpoint.port;
}

}  // namespace

Json counters_to_json(const Counters& counters) { return five_counts_to_json(counters); }
Result<Counters> counters_from_json(const Json& json, const std::string& path) {
  return five_counts_from_json<Counters>(json, path);
}

Json rates_to_json(const Rates& rates) { return five_counts_to_json(rates); }
Result<Rates> rates_from_json(const Json& json, const std::string& path) {
  return five_counts_from_json<Rates>(json, path);
}

Json destination_view_to_json(const DestinationView& view) {
  return {{"destination", destination_to_json(view.destination)},
          {"active", view.active},
          {"inactive", view.inactive},
          {"persistent", view.persistent},
          {"counters", counters_to_json(view.counters)},
          {"rates", rates_to_json(view.rates)}};
}

Result<DestinationView> destination_view_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  DestinationView view;
  reader.require("destination");
  reader.read_nested("destination", destination_from_json, view.destination);
  reader.read("active", view.active);
  reader.read("inactive", view.inactive);
  reader.read("persistent", view.persistent);
  reader.read_nested("counters", counters_from_json, view.counters);
  reader.read_nested("rates", rates_from_json, view.rates);
  return reader.finish(view);
}

Json service_view_head_to_json(const ServiceView& view) {
  return {{"service", service_to_json(view.service)},
          {"counters", counters_to_json(view.counters)},
          {"rates", rates_to_json(view.rates)}};
}

Json service_view_to_json(const ServiceView& view) {
  Json json = service_view_head_to_json(view);
  Json& destinations = json["destinations"] = Json::array();
  for (const DestinationView& destination : view.destinations) {
    destinations.push_back(destination_view_to_json(destination));
  }
  return json;
}

Result<ServiceView> service_view_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  ServiceView view;
  reader.require("service");
  reader.read_nested("service", service_from_json, view.service);
  reader.read_nested("counters", counters_from_json, view.counters);
  reader.read_nested("rates", rates_from_json, view.rates);
  reader.read_list("destinations", destination_view_from_json, view.destinations);
  return reader.finish(std::move(view));
}

Json connection_to_json(const ConnectionView& view) {
  Json json = {{"family", name_of(kFamilies, view.family)},
               {"protocol", name_of(kProtocols, view.protocol)},
               {"template", view.is_template},
               {"state", view.state},
               {"expires", view.expires},
               {"client", endpoint_to_string(view.client, view.client_port)},
               {"virtual", endpoint_to_string(view.virtual_address, view.virtual_port)},
               {"destination", endpoint_to_string(view.destination, view.destination_port)}};
  if (!view.engine.empty()) {
    json["engine"] = view.engine;
    json["engine_data"] = view.engine_data;
  }
  return json;
}

Result<ConnectionView> connection_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  ConnectionView view;
  read_name(reader, "family", kFamilies, view.family);
  read_name(reader, "protocol", kProtocols, view.protocol);
  reader.read("template", view.is_template);
  reader.read("state", view.state);
  reader.read("expires", view.expires);
  read_endpoint(reader, "client", view.client, view.client_port);
  read_endpoint(reader, "virtual", view.virtual_address, view.virtual_port);
  read_endpoint(reader, "destination", view.destination, view.destination_port);
  reader.read("engine", view.engine);
  reader.read("engine_data", view.engine_data);
  return reader.finish(std::move(view));
}

}  // namespace limpet::json_codec
