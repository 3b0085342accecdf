// SPDX-License-Identifier: Apache-2.0
// A persistence template by names instead of ids, as it outlives the tables: which client network sticks to which
// server of which service, and for how long yet.
#pragma once

#include <chrono>
#include <cstdint>

#include "model/service.h"

namespace limpet {

// What many templates have in common.
struct TemplateOrigin {
  ServiceKey service;
  DestinationKey server;
  std::uint32_t timeout = 0;  // seconds; the service's when the template was made
  std::uint32_t netmask = 0;  // as Service::netmask

  auto operator<=>(const TemplateOrigin&) const = default;
};

struct TemplateRecord {
  TemplateOrigin origin;
  Address client;         // masked
  bool assured = false;   // has seen a connection that looked real
  bool extended = false;  // its own time has passed while it controlled connections: 60 s at a time since
  std::chrono::milliseconds left{0};

  bool operator==(const TemplateRecord&) const = default;
};

// The port under which a service's templates are kept: none for marks, services of every port, and FTP, whose data
// connections have other ports (ip_vs_core.c, ip_vs_sched_persist()).
inline Port template_port(const ServiceKey& service) {
  constexpr Port kFtp{21};
  if (service.is_mark() || (service.protocol == Protocol::tcp && service.port == kFtp)) return {};
  return service.port;
}

}  // namespace limpet
