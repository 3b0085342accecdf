// SPDX-License-Identifier: Apache-2.0
// What IPVS accepts and in which order it looks, after the kernel's ip_vs_ctl.c: the error a user sees first is ours
// too.
#include <algorithm>
#include <climits>
#include <string>

#include "model/configuration.h"

namespace limpet {
namespace {

Error invalid(std::string text) { return {ErrorCode::invalid, std::move(text)}; }

// ip_vs_mh_reassign(): more servers than buckets. The kernel takes those that are added later, and gives them none.
Result<void> check_buckets(const std::string& scheduler, std::size_t servers) {
  constexpr std::size_t kMhBuckets = 4093;
  if (scheduler != "mh" || servers <= kMhBuckets) return {};
  return invalid("mh deals to " + std::to_string(kMhBuckets) + " servers at most");
}

// A key that no entrance builds by itself, but that a request over HTTP or netlink may carry.
Result<void> check_key(const ServiceKey& key) {
  if (key.is_mark()) return {};
  if (key.protocol == Protocol::ip) return invalid("a service needs a protocol or a firewall mark");
  if (key.family != key.address.family()) return invalid("the family of " + key.to_string() + " is not its address's");
  return {};
}

bool known_scheduler(const std::string& name) {
  return scheduler_from_name(name).has_value() || name == "none";  // "none": a service that schedules nothing
}

// ip_vs_add_service and ip_vs_edit_service: scheduler, persistence engine, then the mask.
Result<void> check_service(const Service& service) {
  if (!known_scheduler(service.scheduler)) {
    return Error{ErrorCode::scheduler_not_found, "there is no scheduler \"" + service.scheduler + "\""};
  }
  if (!service.persistence_engine.empty() && service.persistence_engine != "sip") {
    return Error{ErrorCode::scheduler_not_found,
                 "there is no persistence engine \"" + service.persistence_engine + "\""};
  }
  if (service.key.family == Family::ipv6 && (service.netmask < 1 || service.netmask > 128)) {
    return invalid("an IPv6 netmask is a prefix length from 1 to 128");
  }
  if (service.persistent && (service.timeout < 1 || service.timeout > kMaxTimeoutSeconds)) {
    return invalid("a persistence timeout is 1 to " + std::to_string(kMaxTimeoutSeconds) + " seconds");
  }
  if (!service.key.is_mark() && service.key.port.value == 0 && !service.persistent) {
    return invalid("a service on port 0 must be persistent");
  }
  if ((service.scheduler_flags & ~std::uint32_t{sched_flag_1 | sched_flag_2 | sched_flag_3}) != 0) {
    return invalid("unknown scheduler flags");
  }
  return {};
}

// Stands for inet_addr_type() and ipv6_addr_type() in ip_vs_new_dest. Which addresses are local is not known here, so
// loopback passes, as it does in the kernel.
bool may_be_a_server(const Address& address) {
  if (address.is_unspecified() || address.is_multicast()) return false;
  const auto& bytes = address.bytes();
  if (address.family() == Family::ipv4) return bytes[0] < 240;
  const bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  bool mapped = bytes[10] == 0xff && bytes[11] == 0xff;  // ::ffff:0:0/96
  for (int i = 0; i < 10; ++i) mapped = mapped && bytes[static_cast<std::size_t>(i)] == 0;
  return !link_local && !mapped;
}

// What ip_vs_add_dest and ip_vs_edit_dest check before they look the destination up.
Result<void> check_destination(const ServiceKey& service, const Destination& destination) {
  if (destination.key.address.family() != service.family && destination.method != ForwardingMethod::tunnel) {
    return invalid("only a tunnel leads to a server of another address family");
  }
  if (destination.weight > kMaxWeight) {
    return Error{ErrorCode::out_of_range, "a weight is 0 to " + std::to_string(kMaxWeight)};
  }
  if (destination.lower_threshold > destination.upper_threshold) {
    return Error{ErrorCode::out_of_range, "the lower threshold is above the upper one"};
  }
  if (destination.upper_threshold > INT_MAX) return invalid("a threshold is at most 2147483647");
  if (destination.tunnel.type == TunnelType::gue && destination.tunnel.port.value == 0) {
    return invalid("a GUE tunnel needs a port");
  }
  return {};
}

Error not_defined(const ServiceKey& key) {
  return {ErrorCode::service_not_defined, "there is no service " + key.to_string()};
}

Error no_service(const ServiceKey& key) {
  return {ErrorCode::no_such_service, "there is no service " + key.to_string()};
}

Error no_destination(const DestinationKey& key, const ServiceKey& service) {
  return {ErrorCode::no_such_destination, service.to_string() + " has no destination " + key.to_string()};
}

}  // namespace

struct Configuration::Checker {
  const Configuration& in;

  Result<void> operator()(const AddService& command) const {
    if (auto key = check_key(command.service.key); !key) return key;
    if (in.find(command.service.key) != nullptr) {
      return Error{ErrorCode::service_exists, "the service " + command.service.key.to_string() + " is there already"};
    }
    return check_service(command.service);
  }
  Result<void> operator()(const EditService& command) const {
    const auto* service = in.find(command.service.key);
    if (service == nullptr) return no_service(command.service.key);
    if (auto fit = check_buckets(command.service.scheduler, service->destinations.size()); !fit) return fit;
    return check_service(command.service);
  }
  Result<void> operator()(const DeleteService& command) const {
    if (in.find(command.key) == nullptr) return no_service(command.key);
    return {};
  }
  Result<void> operator()(const Flush&) const { return {}; }
  Result<void> operator()(const AddDestination& command) const {
    const auto* service = in.find(command.service);
    if (service == nullptr) return not_defined(command.service);
    if (auto fit = check_family(command.service, command.destination); !fit) return fit;
    if (auto fit = check_destination(command.service, command.destination); !fit) return fit;
    if (auto fit = check_buckets(service->service.scheduler, service->destinations.size() + 1); !fit) return fit;
    const auto& key = command.destination.key;
    if (service->find(key) != nullptr) {
      return Error{ErrorCode::destination_exists,
                   command.service.to_string() + " has the destination " + key.to_string() + " already"};
    }
    if (!may_be_a_server(key.address)) return invalid(key.address.to_string() + " is not a unicast address");
    return {};
  }
  Result<void> operator()(const EditDestination& command) const {
    const auto* service = in.find(command.service);
    if (service == nullptr) return not_defined(command.service);
    if (auto fit = check_family(command.service, command.destination); !fit) return fit;
    if (auto fit = check_destination(command.service, command.destination); !fit) return fit;
    if (service->find(command.destination.key) == nullptr) {
      return no_destination(command.destination.key, command.service);
    }
    return {};
  }
  Result<void> operator()(const DeleteDestination& command) const {
    const auto* service = in.find(command.service);
    if (service == nullptr) return not_defined(command.service);
    if (service->find(command.destination) == nullptr) return no_destination(command.destination, command.service);
    return {};
  }
  Result<void> operator()(const SetTimeouts& command) const {
    const auto& timeouts = command.timeouts;
    for (const auto seconds : {timeouts.tcp, timeouts.tcp_fin, timeouts.udp}) {
      if (seconds > kMaxTimeoutSeconds) {
        return invalid("a timeout is at most " + std::to_string(kMaxTimeoutSeconds) + " seconds");
      }
    }
    return {};
  }
  Result<void> operator()(const SetTunables& command) const {
    for (const Setting& setting : command.settings) {
      if (auto fine = limpet::check(setting); !fine) return fine;
    }
    return {};
  }
  Result<void> operator()(const Zero& command) const {
    if (command.service && in.find(*command.service) == nullptr) return no_service(*command.service);
    return {};
  }
  Result<void> operator()(const StartSyncDaemon& command) const {
    if (!command.daemon.group.is_multicast()) {
      return invalid(command.daemon.group.to_string() + " is not a multicast address");
    }
    if (in.mixes_families()) return invalid("synchronisation knows no server of another address family");
    if (in.sync_daemon(command.daemon.role)) {
      return Error{ErrorCode::sync_daemon_runs, "the synchronisation daemon runs already"};
    }
    return {};
  }
  Result<void> operator()(const StopSyncDaemon& command) const {
    if (in.sync_daemon(command.role)) return {};
    return Error{ErrorCode::no_sync_daemon, "no such synchronisation daemon runs"};
  }

  // Synchronisation messages hold connections of one family only.
  Result<void> check_family(const ServiceKey& service, const Destination& destination) const {
    if (destination.key.address.family() == service.family || (!in.master_ && !in.backup_)) return {};
    return invalid("while a synchronisation daemon runs, a server has its service's address family");
  }
};

bool Configuration::mixes_families() const {
  return std::any_of(services_.begin(), services_.end(), [](const ConfiguredService& each) {
    return std::any_of(each.destinations.begin(), each.destinations.end(), [&](const Destination& destination) {
      return destination.key.address.family() != each.service.key.family;
    });
  });
}

// start_sync_thread() of ip_vs_sync.c: the length of a message is bounded by the interface unless it is given.
Result<SyncDaemon> Configuration::ready(const SyncDaemon& daemon, std::optional<std::uint32_t> interface_mtu) const {
  const auto fine = check(StartSyncDaemon{daemon});
  if (!fine && fine.error().code != ErrorCode::sync_daemon_runs) return fine.error();
  if (!interface_mtu) return Error{ErrorCode::no_such_device, "there is no interface \"" + daemon.interface + "\""};
  if (!fine) return fine.error();

  constexpr std::uint32_t kUsualMtu = 1500;
  constexpr std::uint32_t kMaxMtu = 65535;
  const bool backup = daemon.role == SyncRole::backup;
  const std::uint32_t headers = (daemon.group.family() == Family::ipv6 ? 40 : 20) + 8;
  const auto mtu = backup ? std::clamp(*interface_mtu, kUsualMtu, kMaxMtu) : kUsualMtu;
  const std::uint32_t shortest = backup ? 1024 : 1;
  SyncDaemon ready = daemon;
  ready.max_length = static_cast<std::uint16_t>(
      daemon.max_length == 0 ? mtu - headers
                             : std::clamp<std::uint32_t>(daemon.max_length, shortest, kMaxMtu - headers));
  return ready;
}

Result<void> Configuration::check(const Command& command) const { return std::visit(Checker{*this}, command); }

}  // namespace limpet
