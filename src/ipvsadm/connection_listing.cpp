// SPDX-License-Identifier: Apache-2.0
// What `-Lc` prints, line by line.
#include "ipvsadm/endpoint_text.h"
#include "ipvsadm/listing.h"
#include "ipvsadm/text_columns.h"

namespace limpet::ipvsadm {
namespace {

// "14:53"; hours are shown as minutes.
std::string expiry(std::uint32_t seconds) {
  const auto two_digits = [](std::uint32_t value) { return (value < 10 ? "0" : "") + std::to_string(value); };
  return two_digits(seconds / 60) + ":" + two_digits(seconds % 60);
}

std::string row(const std::string& protocol, const std::string& expires, const std::string& state,
                const std::string& client, const std::string& service, const std::string& server) {
  return left(protocol, 3) + " " + left(expires, 6) + " " + left(state, 11) + " " + left(client, 18) + " " +
         left(service, 18) + " " + server;
}

}  // namespace

std::string connections_header(const ListFormat& format) {
  std::string header = "IPVS connection entries\npro expire state       source             virtual            ";
  header += format.persistent_conn ? "destination        pe name          pe_data" : "destination";
  return header + "\n";
}

std::string connection_line(const ConnectionView& connection, const ListFormat& format, const Names& names) {
  const auto text = [&](const Address& address, Port port) {
    return endpoint_text(address, port, connection.protocol, format.numeric, names);
  };
  auto destination = text(connection.destination, connection.destination_port);
  if (format.persistent_conn && !connection.engine.empty()) {
    destination = left(destination, 16) + " " + left(connection.engine, 18) + " " + connection.engine_data;
  }
  return row(std::string(protocol_name(connection.protocol)), expiry(connection.expires), connection.state,
             text(connection.client, connection.client_port), text(connection.virtual_address, connection.virtual_port),
             destination) +
         "\n";
}

}  // namespace limpet::ipvsadm
