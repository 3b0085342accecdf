// SPDX-License-Identifier: Apache-2.0
// Names where the system has them.
#include "ipvsadm/endpoint_text.h"

namespace limpet::ipvsadm {
namespace {

constexpr std::size_t kMaxLength = 59;  // ipvsadm's buffer: longer names are cut

}  // namespace

std::string mark_text(Mark mark, const Dialect& dialect) {
  return dialect.signed_marks ? std::to_string(static_cast<std::int32_t>(mark.value)) : std::to_string(mark.value);
}

std::string endpoint_text(const Address& address, Port port, Protocol protocol, bool numeric, const Names& names) {
  if (numeric) return endpoint_to_string(address, port);
  const auto host = names.host_name(address).value_or(address.to_string());
  const auto service = names.service_name(port, protocol).value_or(std::to_string(port.value));
  const bool brackets = address.family() == Family::ipv6;
  return ((brackets ? "[" + host + "]:" : host + ":") + service).substr(0, kMaxLength);
}

std::string service_option_text(const ServiceKey& key, bool numeric, const Names& names, const Dialect& dialect) {
  if (key.is_mark()) return "-f " + mark_text(key.mark, dialect) + (key.family == Family::ipv6 ? " -6" : "");
  const std::string option = key.protocol == Protocol::tcp   ? "-t "
                             : key.protocol == Protocol::udp ? "-u "
                                                             : "--sctp-service ";
  return option + endpoint_text(key.address, key.port, key.protocol, numeric, names);
}

}  // namespace limpet::ipvsadm
