// SPDX-License-Identifier: Apache-2.0
// From the parsed command to the backend and to text.
#include "ipvsadm/carry_out.h"

#include <ostream>
#include <variant>
#include <vector>

#include "ipvsadm/listing.h"
#include "ipvsadm/messages.h"
#include "ipvsadm/order.h"
#include "ipvsadm/save.h"
#include "ipvsadm/usage.h"

namespace limpet::ipvsadm {
namespace {

constexpr int kListingFailed = 1;
constexpr int kUnreachable = 2;
constexpr int kRefused = 255;

Executed failed(const Surroundings& in, const Error& error, int exit_code) {
  in.streams.err << error_text(error) << '\n';
  return is_unreachable(error) ? Executed{kUnreachable, true} : Executed{exit_code, false};
}

std::vector<const ServiceView*> ordered(const std::vector<ServiceView>& services, bool sorted, const Dialect& dialect) {
  std::vector<const ServiceView*> order;
  order.reserve(services.size());
  for (const auto& service : services) order.push_back(&service);
  if (sorted) sort_services(order, dialect);
  return order;
}

struct CarryOut {
  const Surroundings& in;

  Executed operator()(const Command& command) const {
    const auto done = in.backend.execute(command);
    return done ? Executed{} : refused(in, done.error());
  }

  Executed operator()(const ListServices& list) const {
    auto& out = in.streams.out;
    if (list.service) {
      const auto service = in.backend.service(*list.service);
      if (!service) return failed(in, service.error(), kListingFailed);
      out << listing_header(list.format) << service_text(*service, list.format, in.names, in.dialect);
      return {};
    }
    const auto services = in.backend.services();
    if (!services) return failed(in, services.error(), kListingFailed);
    out << version_line() << listing_header(list.format);
    for (const auto* service : ordered(*services, list.format.sorted, in.dialect)) {
      out << service_text(*service, list.format, in.names, in.dialect);
    }
    return {};
  }

  Executed operator()(const ListConnections& list) const {
    auto& out = in.streams.out;
    bool begun = false;
    const auto begin = [&] {
      if (!begun) out << connections_header(list.format);
      begun = true;
    };
    const auto done = in.backend.connections([&](const ConnectionView& connection) {
      begin();
      out << connection_line(connection, list.format, in.names);
      return out.good();
    });
    if (!done) return failed(in, done.error(), kListingFailed);
    begin();
    return {};
  }

  Executed operator()(const ListTimeouts&) const {
    const auto timeouts = in.backend.timeouts();
    if (!timeouts) return failed(in, timeouts.error(), kListingFailed);
    in.streams.out << timeouts_text(*timeouts);
    return {};
  }

  Executed operator()(const ListDaemons&) const {
    const auto daemons = in.backend.sync_daemons();
    if (!daemons) return failed(in, daemons.error(), kListingFailed);
    for (const auto& daemon : *daemons) in.streams.out << sync_daemon_line(daemon);
    return {};
  }

  Executed operator()(const Save& save) const {
    const auto services = in.backend.services();
    if (!services) return failed(in, services.error(), kListingFailed);
    for (const auto* service : ordered(*services, true, in.dialect)) {
      in.streams.out << saved_service(*service, save.numeric, in.names, in.dialect);
    }
    return {};
  }

  // A restore within a restore.
  Executed operator()(const Restore&) const { return mistaken(in, try_help(in.program)); }

  // Help and version end everything, a restore too.
  Executed operator()(const ShowHelp&) const {
    in.streams.out << usage_text(in.program, in.dialect);
    return {0, true};
  }
  Executed operator()(const ShowVersion&) const {
    in.streams.out << version_text(in.program, in.dialect);
    return {0, true};
  }
};

}  // namespace

Executed carry_out(const Surroundings& in, const ParsedCommand& command) { return std::visit(CarryOut{in}, command); }

Executed refused(const Surroundings& in, const Error& error) { return failed(in, error, kRefused); }

Executed mistaken(const Surroundings& in, const ParseFailure& failure) {
  in.streams.err << failure.text << '\n';
  return {failure.exit_code, failure.aborts};
}

}  // namespace limpet::ipvsadm
