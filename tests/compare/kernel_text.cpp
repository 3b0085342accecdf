// SPDX-License-Identifier: Apache-2.0
// struct ip_vs_service_user and ip_vs_dest_user of linux/ip_vs.h.
#include "compare/kernel_text.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

namespace limpet::compare {
namespace {

// IP_VS_SO_SET_*, less the base; the hex of each begins with its number.
enum Set {
  add = 2,
  edit = 3,
  del = 4,
  flush = 5,
  add_dest = 7,
  del_dest = 8,
  edit_dest = 9,
  timeout = 10,
  start = 11,
  stop = 12,
  zero = 15
};

constexpr std::uint32_t kPersistent = 1;
constexpr std::uint32_t kOnePacket = 4;

class Bytes {
 public:
  template <class T>
  Bytes& put(T value) {
    const auto at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(&bytes_[at], &value, sizeof value);
    return *this;
  }
  Bytes& put(const std::string& name, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes_.push_back(i < name.size() ? static_cast<unsigned char>(name[i]) : 0);
    return *this;
  }
  std::string hex() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const auto byte : bytes_) text += {kDigits[byte >> 4], kDigits[byte & 15]};
    return text;
  }

 private:
  std::vector<unsigned char> bytes_;
};

std::string text(Set what, const Bytes& bytes) { return std::to_string(what) + " " + bytes.hex(); }

void put_key(Bytes& bytes, const ServiceKey& key) {
  bytes.put(static_cast<std::uint16_t>(key.is_mark() ? 6 : static_cast<int>(key.protocol))).put(std::uint16_t{0});
  bytes.put(key.is_mark() ? 0 : key.address.ipv4_network_order());
  bytes.put(htons(key.port.value)).put(std::uint16_t{0}).put(key.mark.value);
}

void put_service(Bytes& bytes, const Service& service) {
  put_key(bytes, service.key);
  bytes.put(service.scheduler, 16);
  bytes.put((service.persistent ? kPersistent : 0) | (service.one_packet ? kOnePacket : 0) | service.scheduler_flags);
  bytes.put(service.timeout).put(service.netmask);
}

// With -a, -D and the like the service is only named; ipvsadm fills the rest with what nobody asked for.
void put_name(Bytes& bytes, const ServiceKey& key) {
  Service service;
  service.key = key;
  service.scheduler.clear();
  put_service(bytes, service);
}

void put_destination(Bytes& bytes, const Destination& destination) {
  bytes.put(destination.key.address.ipv4_network_order());
  bytes.put(htons(destination.key.port.value)).put(std::uint16_t{0});
  bytes.put(static_cast<std::uint32_t>(destination.method)).put(destination.weight);
  bytes.put(destination.upper_threshold).put(destination.lower_threshold);
}

bool is_ipv4(const ServiceKey& key) { return key.family == Family::ipv4; }

using Text = std::optional<std::string>;

struct Encode {
  static Text service(Set what, const Service& service) {
    if (!is_ipv4(service.key) || !service.persistence_engine.empty()) return std::nullopt;
    Bytes bytes;
    put_service(bytes, service);
    return text(what, bytes);
  }
  static Text named(Set what, const ServiceKey& key) {
    if (!is_ipv4(key)) return std::nullopt;
    Bytes bytes;
    put_name(bytes, key);
    return text(what, bytes);
  }
  static Text server(Set what, const ServiceKey& key, const Destination& destination) {
    if (!is_ipv4(key) || destination.key.address.family() != Family::ipv4) return std::nullopt;
    Bytes bytes;
    put_name(bytes, key);
    put_destination(bytes, destination);
    return text(what, bytes);
  }

  Text operator()(const AddService& c) const { return service(add, c.service); }
  Text operator()(const EditService& c) const { return service(edit, c.service); }
  Text operator()(const DeleteService& c) const { return named(del, c.key); }
  Text operator()(const Flush&) const { return text(flush, {}); }
  Text operator()(const AddDestination& c) const { return server(add_dest, c.service, c.destination); }
  Text operator()(const EditDestination& c) const { return server(edit_dest, c.service, c.destination); }
  Text operator()(const DeleteDestination& c) const {
    Destination destination;
    destination.key = c.destination;
    return server(del_dest, c.service, destination);
  }
  Text operator()(const SetTunables&) const { return std::nullopt; }  // no command of ipvsadm
  Text operator()(const SetTimeouts& c) const {
    return text(timeout, Bytes().put(c.timeouts.tcp).put(c.timeouts.tcp_fin).put(c.timeouts.udp));
  }
  Text operator()(const Zero& c) const {
    if (c.service) return named(zero, *c.service);
    return text(zero, Bytes().put("", 44));
  }
  // Socket options know no more of a synchronisation daemon.
  Text operator()(const StartSyncDaemon& c) const {
    return text(start, Bytes()
                           .put(static_cast<std::uint32_t>(c.daemon.role))
                           .put(c.daemon.interface, 16)
                           .put(std::uint32_t{c.daemon.sync_id}));
  }
  Text operator()(const StopSyncDaemon& c) const { return text(stop, Bytes().put(static_cast<std::uint32_t>(c.role))); }
};

}  // namespace

std::optional<std::string> kernel_text(const Command& command) { return std::visit(Encode{}, command); }

std::string meaning(const std::string& kernel_text) {
  const auto blank = kernel_text.find(' ');
  const int what = std::stoi(kernel_text);
  std::string hex = kernel_text.substr(blank + 1);
  const auto cut = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = 2 * from; i < 2 * to && i < hex.size(); ++i) hex[i] = '.';
  };
  if (what == stop) {
    cut(4, 24);
    hex.resize(8);
  } else if (what != timeout && what != start && what != flush) {
    const bool marked = hex.size() >= 32 && hex.substr(24, 8) != "00000000";
    if (marked) cut(0, 2);
    if (what != add && what != edit) cut(16, 44);
    if (what == del_dest) cut(52, 68);
  }
  return kernel_text.substr(0, blank + 1) + hex;
}

}  // namespace limpet::compare
