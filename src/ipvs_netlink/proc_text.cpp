// SPDX-License-Identifier: Apache-2.0
// Rows, heads, and walking through what they are about.
#include "ipvs_netlink/proc_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "director/turn.h"

namespace limpet::ipvs_netlink {
namespace {

// /proc/net/ip_vs has timeouts in the kernel's ticks; so many a second are what distributions configure.
constexpr std::uint32_t kTicks = 250;
constexpr std::size_t kLongestPiece = std::size_t{64} * 1024;
constexpr std::size_t kEntriesAPiece = 2048;

constexpr const char* kServiceHead =
    "IP Virtual Server version 1.2.1 (size=4096)\n"
    "Prot LocalAddress:Port Scheduler Flags\n"
    "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n";
constexpr const char* kConnectionHead =
    "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";
constexpr const char* kSynchronisedHead = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n";
constexpr const char* kApplicationHead = "prot    port    usecnt name\n";  // Limpet has no such helpers

// %pI6, or the address as one number.
std::string hexadecimal(const Address& address) {
  if (address.family() == Family::ipv4) return fmt::format("{:08X}", ntohl(address.ipv4_network_order()));
  std::string text;
  const auto& bytes = address.bytes();
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    text += fmt::format("{}{:02x}{:02x}", i == 0 ? "" : ":", bytes[i], bytes[i + 1]);
  }
  return text;
}

std::string endpoint(const Address& address, Port port) {
  const bool brackets = address.family() == Family::ipv6;
  return fmt::format("{}{}{}:{:04X}", brackets ? "[" : "", hexadecimal(address), brackets ? "]" : "", port.value);
}

std::string_view method_name(ForwardingMethod method) {
  constexpr std::array<std::string_view, 4> kNames = {"Masq", "Local", "Tunnel", "Route"};
  return kNames[static_cast<std::size_t>(method)];
}

std::string service_row(const Service& service) {
  const ServiceKey& key = service.key;
  const std::string_view one_packet = service.one_packet ? "ops " : "";
  std::string row;
  if (key.is_mark()) {
    row = fmt::format("FWM  {:08X} {} {}", key.mark.value, service.scheduler, one_packet);
  } else if (key.family == Family::ipv6) {
    row = fmt::format("{}  {} {} ", protocol_name(key.protocol), endpoint(key.address, key.port), service.scheduler);
  } else {
    row = fmt::format("{}  {} {} {} ", protocol_name(key.protocol), endpoint(key.address, key.port), service.scheduler,
                      one_packet);
  }
  if (service.persistent) {
    row += fmt::format("persistent {} {:08X}", std::uint64_t{service.timeout} * kTicks, ntohl(service.netmask));
  }
  return row + "\n";
}

std::string endpoints_of(const ConnectionView& view) {
  return fmt::format("{:<3} {} {:04X} {} {:04X} {} {:04X} {:<11}", protocol_name(view.protocol),
                     hexadecimal(view.client), view.client_port.value, hexadecimal(view.virtual_address),
                     view.virtual_port.value, hexadecimal(view.destination), view.destination_port.value, view.state);
}

// Sent before it grows longer; the next one gets a turn of its own.
bool is_full(const std::string& piece, const Turn& turn) { return piece.size() >= kLongestPiece || turn.over(); }

class Fixed : public ProcText {
 public:
  explicit Fixed(std::string text) : text_(std::move(text)) {}
  std::optional<std::string> next() override { return std::exchange(text_, std::nullopt); }

 private:
  std::optional<std::string> text_;
};

// The kernel walks its table of addresses, then that of marks.
class ServiceText : public ProcText {
 public:
  explicit ServiceText(Director& director) : director_(director) {}

  std::optional<std::string> next() override {
    if (marks_ && cursor_ == nullptr) return std::nullopt;
    std::string piece;
    if (cursor_ == nullptr) {
      piece = kServiceHead;
      cursor_ = director_.services();
    }
    const Turn turn;
    while (cursor_ != nullptr && !is_full(piece, turn)) step(piece);
    return piece;
  }

 private:
  void step(std::string& piece) {
    const auto view = cursor_->next();
    if (view) {
      if (view->service.key.is_mark() == marks_) piece += service_rows(*view);
    } else if (!marks_) {
      marks_ = true;
      cursor_ = director_.services();
    } else {
      cursor_.reset();
    }
  }

  Director& director_;
  std::unique_ptr<ServiceCursor> cursor_;
  bool marks_ = false;
};

class ConnectionText : public ProcText {
 public:
  using Row = std::string (*)(const ConnectionView&);
  ConnectionText(Director& director, std::string head, Row row)
      : cursor_(director.connections()), head_(std::move(head)), row_(row) {}

  std::optional<std::string> next() override {
    std::string piece = std::exchange(head_, {});
    const Turn turn;
    while (!is_full(piece, turn)) {
      if (position_ < views_.size()) {
        piece += row_(views_[position_++]);
      } else if (ended_) {
        return piece.empty() ? std::nullopt : std::optional(piece);
      } else {
        fetch();
      }
    }
    return piece;
  }

 private:
  // A failure ends the text: a program has no way to be told.
  void fetch() {
    auto views = cursor_->next(kEntriesAPiece);
    ended_ = !views || !*views;
    views_ = ended_ ? std::vector<ConnectionView>() : std::move(**views);
    position_ = 0;
  }

  std::unique_ptr<ConnectionCursor> cursor_;
  std::string head_;
  Row row_;
  std::vector<ConnectionView> views_;
  std::size_t position_ = 0;
  bool ended_ = false;
};

// The kernel's totals go on when a service has gone; these are of the services that are there.
class StatisticsText : public ProcText {
 public:
  explicit StatisticsText(Director& director) : cursor_(director.services()) {}

  std::optional<std::string> next() override {
    if (cursor_ == nullptr) return std::nullopt;
    const Turn turn;
    while (!turn.over()) {
      const auto view = cursor_->next();
      if (!view) {
        cursor_.reset();
        return statistics_text(counters_, rates_);
      }
      counters_ += view->counters;
      rates_.connections += view->rates.connections;
      rates_.in_packets += view->rates.in_packets;
      rates_.out_packets += view->rates.out_packets;
      rates_.in_bytes += view->rates.in_bytes;
      rates_.out_bytes += view->rates.out_bytes;
    }
    return "";
  }

 private:
  std::unique_ptr<ServiceCursor> cursor_;
  Counters counters_;
  Rates rates_;
};

constexpr std::array<std::string_view, 5> kFiles = {"ip_vs", "ip_vs_conn", "ip_vs_conn_sync", "ip_vs_stats",
                                                    "ip_vs_app"};

}  // namespace

bool is_proc_file(std::string_view name) {
  for (const auto each : kFiles) {
    if (each == name) return true;
  }
  return false;
}

std::unique_ptr<ProcText> proc_text(Director& director, std::string_view name) {
  if (name == "ip_vs") return std::make_unique<ServiceText>(director);
  if (name == "ip_vs_conn") return std::make_unique<ConnectionText>(director, kConnectionHead, connection_row);
  if (name == "ip_vs_conn_sync") {
    return std::make_unique<ConnectionText>(director, kSynchronisedHead, synchronised_connection_row);
  }
  if (name == "ip_vs_stats") return std::make_unique<StatisticsText>(director);
  return std::make_unique<Fixed>(kApplicationHead);
}

std::string service_rows(const ServiceView& view) {
  std::string rows = service_row(view.service);
  for (const DestinationView& each : view.destinations) {
    const Destination& destination = each.destination;
    rows +=
        fmt::format("  -> {}      {:<7} {:<6} {:<10} {:<10}\n", endpoint(destination.key.address, destination.key.port),
                    method_name(destination.method), destination.weight, each.active, each.inactive);
  }
  return rows;
}

std::string connection_row(const ConnectionView& view) {
  const std::string engine = view.engine.empty() ? "" : " " + view.engine + " " + view.engine_data;
  return fmt::format("{} {:>7}{}\n", endpoints_of(view), view.expires, engine);
}

std::string synchronised_connection_row(const ConnectionView& view) {
  return fmt::format("{} {:<6} {:>7}\n", endpoints_of(view), "LOCAL", view.expires);
}

std::string statistics_text(const Counters& counters, const Rates& rates) {
  return fmt::format(
      "   Total Incoming Outgoing         Incoming         Outgoing\n"
      "   Conns  Packets  Packets            Bytes            Bytes\n"
      "{:8X} {:8X} {:8X} {:16X} {:16X}\n\n"
      " Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n"
      "{:8X} {:8X} {:8X} {:16X} {:16X}\n",
      counters.connections, counters.in_packets, counters.out_packets, counters.in_bytes, counters.out_bytes,
      rates.connections, rates.in_packets, rates.out_packets, rates.in_bytes, rates.out_bytes);
}

}  // namespace limpet::ipvs_netlink
