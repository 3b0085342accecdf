// SPDX-License-Identifier: Apache-2.0
// Host and service names: what the grammar and the listings ask of the system's name services.
#pragma once

#include <optional>
#include <string>

#include "model/address.h"

namespace limpet::ipvsadm {

class Names {
 public:
  virtual ~Names() = default;
  // IPv4 only: ipvsadm looks no IPv6 host names up.
  virtual std::optional<Address> host_address(const std::string& name) const = 0;
  virtual std::optional<Port> service_port(const std::string& name, Protocol protocol) const = 0;
  virtual std::optional<std::string> host_name(const Address& address) const = 0;
  virtual std::optional<std::string> service_name(Port port, Protocol protocol) const = 0;
};

// /etc/hosts, /etc/services, DNS: whatever nsswitch.conf says.
class SystemNames final : public Names {
 public:
  std::optional<Address> host_address(const std::string& name) const override;
  std::optional<Port> service_port(const std::string& name, Protocol protocol) const override;
  std::optional<std::string> host_name(const Address& address) const override;
  std::optional<std::string> service_name(Port port, Protocol protocol) const override;
};

}  // namespace limpet::ipvsadm
