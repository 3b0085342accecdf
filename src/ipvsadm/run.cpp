// SPDX-License-Identifier: Apache-2.0
// From the parsed command to the backend and to text.
#include "ipvsadm/run.h"

#include <istream>
#include <ostream>
#include <variant>

#include "ipvsadm/grammar.h"
#include "ipvsadm/listing.h"
#include "ipvsadm/messages.h"
#include "ipvsadm/order.h"
#include "ipvsadm/restore.h"
#include "ipvsadm/save.h"
#include "ipvsadm/usage.h"

namespace limpet::ipvsadm {
namespace {

constexpr int kListingFailed = 1;
constexpr int kUnreachable = 2;
constexpr int kRefused = 255;

std::string basename(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Carries out one parsed command.
class Runner {
 public:
  Runner(const std::string& program, Backend& backend, const Names& names, const Streams& streams, bool restoring)
      : program_(program), backend_(backend), names_(names), streams_(streams), restoring_(restoring) {}

  Executed operator()(const Command& command) const {
    const auto done = backend_.execute(command);
    return done ? Executed{} : failed(done.error(), kRefused);
  }

  Executed operator()(const ListServices& list) const {
    if (list.service) {
      const auto service = backend_.service(*list.service);
      if (!service) return failed(service.error(), kListingFailed);
      streams_.out << listing_header(list.format) << service_text(*service, list.format, names_);
      return {};
    }
    const auto services = backend_.services();
    if (!services) return failed(services.error(), kListingFailed);
    streams_.out << version_line() << listing_header(list.format);
    for (const auto* service : ordered(*services, list.format.sorted)) {
      streams_.out << service_text(*service, list.format, names_);
    }
    return {};
  }

  Executed operator()(const ListConnections& list) const {
    bool begun = false;
    const auto begin = [&] {
      if (!begun) streams_.out << connections_header(list.format);
      begun = true;
    };
    const auto done = backend_.connections([&](const ConnectionView& connection) {
      begin();
      streams_.out << connection_line(connection, list.format, names_);
      return streams_.out.good();
    });
    if (!done) return failed(done.error(), kListingFailed);
    begin();
    return {};
  }

  Executed operator()(const ListTimeouts&) const {
    const auto timeouts = backend_.timeouts();
    if (!timeouts) return failed(timeouts.error(), kListingFailed);
    streams_.out << timeouts_text(*timeouts);
    return {};
  }

  Executed operator()(const ListDaemons&) const { return {}; }  // there are none, and of none ipvsadm prints nothing

  Executed operator()(const Save& save) const {
    const auto services = backend_.services();
    if (!services) return failed(services.error(), kListingFailed);
    for (const auto* service : ordered(*services, true)) streams_.out << saved_service(*service, save.numeric, names_);
    return {};
  }

  Executed operator()(const Restore&) const {
    if (restoring_) {
      streams_.err << try_help(program_).text << '\n';
      return {kRefused, true};
    }
    return {restore(streams_.in, [this](const std::vector<std::string>& words) { return run_line(words); }), false};
  }

  Executed operator()(const StartDaemon&) const {
    return failed({ErrorCode::not_supported, "limpet cannot carry connection synchronisation yet: --start-daemon"},
                  kRefused);
  }

  Executed operator()(const StopDaemon&) const {
    streams_.err << "No daemon is running\n";
    return {kRefused, false};
  }

  // Help and version end everything, a restore too.
  Executed operator()(const ShowHelp&) const {
    streams_.out << usage_text(program_);
    return {0, true};
  }
  Executed operator()(const ShowVersion&) const {
    streams_.out << version_text(program_);
    return {0, true};
  }

 private:
  Executed run_line(const std::vector<std::string>& words) const;

  Executed failed(const Error& error, int exit_code) const {
    streams_.err << error_text(error) << '\n';
    return is_unreachable(error) ? Executed{kUnreachable, true} : Executed{exit_code, false};
  }

  static std::vector<const ServiceView*> ordered(const std::vector<ServiceView>& services, bool sorted) {
    std::vector<const ServiceView*> order;
    order.reserve(services.size());
    for (const auto& service : services) order.push_back(&service);
    if (sorted) sort_services(order);
    return order;
  }

  const std::string& program_;
  Backend& backend_;
  const Names& names_;
  const Streams& streams_;
  bool restoring_;
};

Executed parse_and_run(const std::string& program, const std::vector<std::string>& words, const Names& names,
                       const Streams& streams, const Runner& runner) {
  const auto parsed = parse(program, words, names);
  if (const auto* failure = std::get_if<ParseFailure>(&parsed)) {
    streams.err << failure->text << '\n';
    return {failure->exit_code, failure->aborts};
  }
  return std::visit(runner, std::get<ParsedCommand>(parsed));
}

Executed Runner::run_line(const std::vector<std::string>& words) const {
  return parse_and_run(program_, words, names_, streams_, Runner(program_, backend_, names_, streams_, true));
}

}  // namespace

int run(const std::vector<std::string>& arguments, Backend& backend, const Names& names, const Streams& streams) {
  const auto program = arguments.empty() ? std::string("limpetadm") : basename(arguments.front());
  const Runner runner(program, backend, names, streams, false);
  if (arguments.size() < 2) return runner(ListServices{}).exit_code;
  const std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  return parse_and_run(program, words, names, streams, runner).exit_code;
}

}  // namespace limpet::ipvsadm
