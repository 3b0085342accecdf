// SPDX-License-Identifier: Apache-2.0
// A table and name services for tests: a Configuration without a data plane, and a few names.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "ipvsadm/names.h"
#include "ipvsadm/run.h"
#include "model/configuration.h"

namespace limpet::ipvsadm {

// As a director that carries everything, on a host with the interfaces that were there when commands were recorded.
class FakeBackend : public Backend {
 public:
  Result<void> execute(const Command& command) override { return change(configuration, command); }
  Result<std::vector<Result<void>>> execute_all(const std::vector<Command>& commands) override {
    std::vector<Result<void>> outcomes;
    for (const auto& command : commands) outcomes.push_back(execute(command));
    return outcomes;
  }
  std::optional<Refusal> transact(const std::vector<Command>& commands) override {
    auto after = configuration;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if (const auto done = change(after, commands[i]); !done) return Refusal{done.error(), i};
    }
    configuration = after;
    return std::nullopt;
  }
  Result<std::vector<ServiceView>> services() override {
    std::vector<ServiceView> views;
    for (const auto& service : configuration.services()) views.push_back(view(service));
    return views;
  }
  Result<ServiceView> service(const ServiceKey& key) override {
    const auto* service = configuration.find(key);
    if (service == nullptr) return Error{ErrorCode::no_such_service, ""};
    return view(*service);
  }
  Result<Timeouts> timeouts() override { return configuration.timeouts(); }
  Result<std::vector<SyncDaemon>> sync_daemons() override { return configuration.sync_daemons(); }
  Result<void> connections(const std::function<bool(const ConnectionView&)>& visit) override {
    for (const auto& connection : connection_table) {
      if (!visit(connection)) break;
    }
    return {};
  }

  Configuration configuration;
  std::map<std::string, std::uint32_t> interfaces = {{"lo", 65536}, {"d0", 1500}};
  std::vector<ConnectionView> connection_table;

 protected:
  virtual Result<void> change(Configuration& in, Command command) const {
    if (auto* start = std::get_if<StartSyncDaemon>(&command)) {
      const auto mtu = interfaces.find(start->daemon.interface);
      auto ready = in.ready(start->daemon, mtu == interfaces.end() ? std::nullopt : std::optional(mtu->second));
      if (!ready) return ready.error();
      start->daemon = *ready;
    }
    if (auto checked = in.check(command); !checked) return checked;
    in.apply(command);
    return {};
  }

 private:
  static ServiceView view(const ConfiguredService& service) {
    ServiceView result;
    result.service = service.service;
    for (const auto& destination : service.destinations) {
      result.destinations.emplace_back().destination = destination;
    }
    return result;
  }
};

class FakeNames final : public Names {
 public:
  std::optional<Address> host_address(const std::string& name) const override {
    if (name == "www.example.net") return Address::parse("192.0.2.1");
    return std::nullopt;
  }
  std::optional<Port> service_port(const std::string& name, Protocol protocol) const override {
    for (const auto& [port, known] : known_) {
      if (known == name && port.first == protocol) return Port{port.second};
    }
    return std::nullopt;
  }
  std::optional<std::string> host_name(const Address& address) const override {
    if (address == Address::parse("192.0.2.1")) return "www.example.net";
    return std::nullopt;
  }
  std::optional<std::string> service_name(Port port, Protocol protocol) const override {
    const auto found = known_.find({protocol, port.value});
    if (found == known_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::map<std::pair<Protocol, std::uint16_t>, std::string> known_ = {{{Protocol::tcp, 80}, "http"},
                                                                      {{Protocol::tcp, 443}, "https"},
                                                                      {{Protocol::tcp, 8080}, "http-alt"},
                                                                      {{Protocol::udp, 53}, "domain"},
                                                                      {{Protocol::udp, 5060}, "sip"}};
};

// "a b ''" as words: split at blanks, '' for an empty one.
inline std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word == "''" ? "" : word);
  return result;
}

struct Outcome {
  std::string out;
  std::string err;
  int exit_code = 0;
};

// Nobody is there.
class AbsentDaemon final : public Backend {
 public:
  Result<void> execute(const Command&) override { return error_; }
  Result<std::vector<Result<void>>> execute_all(const std::vector<Command>&) override { return error_; }
  std::optional<Refusal> transact(const std::vector<Command>&) override { return Refusal{error_, std::nullopt}; }
  Result<std::vector<ServiceView>> services() override { return error_; }
  Result<ServiceView> service(const ServiceKey&) override { return error_; }
  Result<Timeouts> timeouts() override { return error_; }
  Result<std::vector<SyncDaemon>> sync_daemons() override { return error_; }
  Result<void> connections(const std::function<bool(const ConnectionView&)>&) override { return error_; }

 private:
  Error error_{ErrorCode::not_running, "nobody listens on /run/limpet/api.sock"};
};

inline Outcome run_line(Backend& backend, const std::string& line, const std::string& input = "",
                        const std::string& program = "ipvsadm") {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  auto arguments = words(line);
  arguments.insert(arguments.begin(), program);
  const FakeNames names;
  const int exit_code = run(arguments, backend, names, {in, out, err});
  return {out.str(), err.str(), exit_code};
}

}  // namespace limpet::ipvsadm
