// SPDX-License-Identifier: Apache-2.0
// Services, destinations and timeouts as JSON.
#include "json/json.h"
#include "json/model_names.h"
#include "json/names.h"
#include "json/object_reader.h"

namespace limpet::json_codec {
namespace {

constexpr std::array<Named<TunnelType>, 3> kTunnelTypes{
    {{"ipip", TunnelType::ipip}, {"gue", TunnelType::gue}, {"gre", TunnelType::gre}}};
// IP_VS_TUNNEL_ENCAP_FLAG_CSUM and _REMCSUM.
constexpr std::array<Named<std::uint16_t>, 2> kTunnelFlags{{{"csum", 1}, {"remcsum", 2}}};

constexpr std::uint32_t kDefaultIpv6PrefixLength = 128;
constexpr std::string_view kEndpointForm = "an address and a port such as \"10.0.0.1:80\" or \"[2001:db8::1]:80\"";
constexpr std::string_view kServiceKeyForm =
    "a service such as \"tcp/192.0.2.1:80\", \"udp/[2001:db8::1]:53\", \"fwm/10\" or \"fwm6/10\"";

std::optional<DestinationKey> parse_destination_key(std::string_view text) {
  const auto endpoint = endpoint_from_string(text);
  if (!endpoint) return std::nullopt;
  return DestinationKey{endpoint->address, endpoint->port};
}

Error wrong(const std::string& path, std::string_view expected) {
  return Error{ErrorCode::bad_request, "the field \"" + path + "\" must be " + std::string(expected)};
}

// An IPv4 netmask is written as an address, an IPv6 prefix length as a number.
Json netmask_to_json(const Service& service) {
  if (service.key.family == Family::ipv6) return service.netmask;
  return Address::ipv4(service.netmask).to_string();
}

std::optional<std::uint32_t> parse_ipv4_netmask(std::string_view text) {
  const auto address = Address::parse(text);
  if (!address || address->family() != Family::ipv4) return std::nullopt;
  return address->ipv4_network_order();
}

void read_netmask(ObjectReader& reader, Service& service) {
  if (service.key.family == Family::ipv4) {
    reader.read_text("netmask", "an IPv4 netmask such as \"255.255.255.0\"", parse_ipv4_netmask, service.netmask);
  } else {
    service.netmask = kDefaultIpv6PrefixLength;
    reader.read("netmask", service.netmask);
  }
}

Json tunnel_to_json(const Tunnel& tunnel) {
  return {{"type", name_of(kTunnelTypes, tunnel.type)},
          {"port", tunnel.port.value},
          {"flags", bits_to_json(kTunnelFlags, tunnel.flags)}};
}

Result<Tunnel> tunnel_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  Tunnel tunnel;
  read_name(reader, "type", kTunnelTypes, tunnel.type);
  reader.read("port", tunnel.port.value);
  read_bits(reader, "flags", kTunnelFlags, tunnel.flags);
  return reader.finish(tunnel);
}

}  // namespace

Json service_key_to_json(const ServiceKey& key) { return key.to_string(); }

Result<ServiceKey> service_key_from_json(const Json& json, const std::string& path) {
  const auto key = json.is_string() ? ServiceKey::parse(json.get_ref<const std::string&>()) : std::nullopt;
  if (!key) return wrong(path, kServiceKeyForm);
  return *key;
}

Json destination_key_to_json(const DestinationKey& key) { return key.to_string(); }

Result<DestinationKey> destination_key_from_json(const Json& json, const std::string& path) {
  const auto key = json.is_string() ? parse_destination_key(json.get_ref<const std::string&>()) : std::nullopt;
  if (!key) return wrong(path, kEndpointForm);
  return *key;
}

// Not by lists of pairs, each of which would be an array first. command_text.cpp writes the same.
Json service_to_json(const Service& service) {
  Json::object_t fields;
  fields.emplace("key", service_key_to_json(service.key));
  fields.emplace("scheduler", service.scheduler);
  fields.emplace("persistent", service.persistent);
  fields.emplace("timeout", service.timeout);
  fields.emplace("netmask", netmask_to_json(service));
  fields.emplace("one_packet", service.one_packet);
  fields.emplace("scheduler_flags", bits_to_json(kSchedulerFlags, service.scheduler_flags));
  fields.emplace("persistence_engine", service.persistence_engine);
  return fields;
}

Result<Service> service_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  Service service;
  reader.require("key");
  reader.read_text("key", kServiceKeyForm, ServiceKey::parse, service.key);
  reader.read("scheduler", service.scheduler);
  reader.read("persistent", service.persistent);
  service.timeout = service.persistent ? kDefaultPersistenceSeconds : 0;
  reader.read("timeout", service.timeout);
  read_netmask(reader, service);
  reader.read("one_packet", service.one_packet);
  read_bits(reader, "scheduler_flags", kSchedulerFlags, service.scheduler_flags);
  reader.read("persistence_engine", service.persistence_engine);
  return reader.finish(std::move(service));
}

Json destination_to_json(const Destination& destination) {
  Json::object_t fields;
  fields.emplace("key", destination_key_to_json(destination.key));
  fields.emplace("method", name_of(kMethods, destination.method));
  fields.emplace("weight", destination.weight);
  fields.emplace("upper_threshold", destination.upper_threshold);
  fields.emplace("lower_threshold", destination.lower_threshold);
  if (destination.method == ForwardingMethod::tunnel || destination.tunnel != Tunnel{}) {
    fields.emplace("tunnel", tunnel_to_json(destination.tunnel));
  }
  return fields;
}

Result<Destination> destination_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  Destination destination;
  reader.require("key");
  reader.read_text("key", kEndpointForm, parse_destination_key, destination.key);
  read_name(reader, "method", kMethods, destination.method);
  reader.read("weight", destination.weight);
  reader.read("upper_threshold", destination.upper_threshold);
  reader.read("lower_threshold", destination.lower_threshold);
  reader.read_nested("tunnel", tunnel_from_json, destination.tunnel);
  return reader.finish(destination);
}

Json timeouts_to_json(const Timeouts& timeouts) {
  return {{"tcp", timeouts.tcp}, {"tcp_fin", timeouts.tcp_fin}, {"udp", timeouts.udp}};
}

Result<Timeouts> timeouts_from_json(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  Timeouts timeouts{.tcp = 0, .tcp_fin = 0, .udp = 0};
  reader.read("tcp", timeouts.tcp);
  reader.read("tcp_fin", timeouts.tcp_fin);
  reader.read("udp", timeouts.udp);
  return reader.finish(timeouts);
}

}  // namespace limpet::json_codec
