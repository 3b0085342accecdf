// SPDX-License-Identifier: Apache-2.0
// The system's name services by the same calls ipvsadm makes, so that the first of several addresses is the same one.
#include "ipvsadm/names.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace limpet::ipvsadm {
namespace {

// nullptr: there are no names for the ports of this protocol (a firewall mark's servers among them).
const char* protocol_in_services(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::sctp:
      return "sctp";
    case Protocol::ip:
      break;
  }
  return nullptr;
}

}  // namespace

std::optional<Address> SystemNames::host_address(const std::string& name) const {
  const hostent* host = gethostbyname(name.c_str());
  if (host == nullptr || host->h_addrtype != AF_INET || host->h_addr_list[0] == nullptr) return std::nullopt;
  std::uint32_t address = 0;
  std::memcpy(&address, host->h_addr_list[0], sizeof address);
  return Address::ipv4(address);
}

std::optional<Port> SystemNames::service_port(const std::string& name, Protocol protocol) const {
  const char* in = protocol_in_services(protocol);
  if (in == nullptr) return std::nullopt;
  const servent* service = getservbyname(name.c_str(), in);
  if (service == nullptr) return std::nullopt;
  return Port{ntohs(static_cast<std::uint16_t>(service->s_port))};
}

std::optional<std::string> SystemNames::host_name(const Address& address) const {
  const bool ipv4 = address.family() == Family::ipv4;
  const hostent* host =
      gethostbyaddr(address.bytes().data(), ipv4 ? sizeof(in_addr) : sizeof(in6_addr), ipv4 ? AF_INET : AF_INET6);
  if (host == nullptr || host->h_name == nullptr) return std::nullopt;
  return host->h_name;
}

std::optional<std::string> SystemNames::service_name(Port port, Protocol protocol) const {
  const char* in = protocol_in_services(protocol);
  if (in == nullptr) return std::nullopt;
  const servent* service = getservbyport(htons(port.value), in);
  if (service == nullptr) return std::nullopt;
  return service->s_name;
}

}  // namespace limpet::ipvsadm
