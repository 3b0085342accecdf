// SPDX-License-Identifier: Apache-2.0
// Save, clear, restore, save: the same text, whatever the table holds.
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/ipvsadm/fakes.h"

namespace limpet::ipvsadm {
namespace {

// Tables that ipvsadm's command line can make.
class Tables {
 public:
  explicit Tables(std::uint64_t seed) : engine_(seed) {}

  void fill(FakeBackend& backend) {
    for (std::size_t services = below(12); services > 0; --services) {
      const auto added = service();
      if (!backend.execute(AddService{added})) continue;  // there already
      for (std::size_t servers = below(6); servers > 0; --servers) {
        (void)backend.execute(AddDestination{added.key, destination(added.key)});
      }
    }
  }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_); }
  bool coin() { return below(2) == 0; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[below(values.size())];
  }
  std::uint32_t any() { return static_cast<std::uint32_t>(engine_()); }
  Port port() { return {static_cast<std::uint16_t>(any())}; }
  Address address(Family family) {
    if (family == Family::ipv4)
      return *Address::parse(std::to_string(1 + below(223)) + ".0.2." + std::to_string(below(9)));
    return *Address::parse("2001:db8::" + std::to_string(1 + below(9)));
  }

  Service service() {
    Service service;
    const auto family = one_of({Family::ipv4, Family::ipv6});
    const auto protocol = one_of({Protocol::tcp, Protocol::udp, Protocol::sctp});
    service.key = coin() ? ServiceKey::of_mark(Mark{any() | 1}, family)
                         : ServiceKey::of_address(protocol, address(family), coin() ? port() : Port{});
    service.scheduler =
        one_of<const char*>({"rr", "wrr", "lc", "wlc", "sh", "mh", "sed", "nq", "fo", "ovf", "dh", "maglev"});
    service.persistent = coin() || (!service.key.is_mark() && service.key.port.value == 0);
    service.timeout = service.persistent ? 1 + any() % kMaxTimeoutSeconds : 0;
    if (family == Family::ipv6) service.netmask = static_cast<std::uint32_t>(1 + below(128));
    if (family == Family::ipv4 && coin()) service.netmask = any();
    service.one_packet = coin() && (service.key.is_mark() || protocol == Protocol::udp);
    service.scheduler_flags = coin() ? any() & (sched_flag_1 | sched_flag_2) : 0;
    if (coin()) service.persistence_engine = "sip";
    return service;
  }

  Destination destination(const ServiceKey& service) {
    Destination destination;
    destination.method = one_of({ForwardingMethod::masq, ForwardingMethod::route, ForwardingMethod::tunnel});
    const bool tunnel = destination.method == ForwardingMethod::tunnel;
    destination.key.address = address(tunnel ? one_of({Family::ipv4, Family::ipv6}) : service.family);
    // Where the port cannot be changed it is the service's.
    const bool own_port = service.is_mark() || destination.method == ForwardingMethod::masq;
    destination.key.port = own_port ? port() : service.port;
    destination.weight = any() % (std::uint64_t{kMaxWeight} + 1);
    if (coin()) destination.upper_threshold = any() >> 1;
    if (coin()) destination.lower_threshold = destination.upper_threshold / 2;
    if (!tunnel) return destination;
    destination.tunnel.type = one_of({TunnelType::ipip, TunnelType::gue, TunnelType::gre});
    if (destination.tunnel.type == TunnelType::gue) destination.tunnel.port = {static_cast<std::uint16_t>(any() | 1)};
    if (destination.tunnel.type == TunnelType::gue) destination.tunnel.flags = static_cast<std::uint16_t>(below(3));
    if (destination.tunnel.type == TunnelType::gre) destination.tunnel.flags = static_cast<std::uint16_t>(below(2));
    return destination;
  }

  std::mt19937_64 engine_;
};

std::string saved(FakeBackend& backend, const std::string& program, const std::string& options = "-Sn") {
  return run_line(backend, options, "", program).out;
}

TEST(SaveRestore, of_any_table_gives_the_same_text_again) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    FakeBackend backend;
    Tables(seed).fill(backend);
    const auto before = saved(backend, "limpetadm");
    for (const auto* option : {"-R", "-R --atomic"}) {
      EXPECT_EQ(run_line(backend, "-C", "", "limpetadm").exit_code, 0);
      EXPECT_EQ(saved(backend, "limpetadm"), "");
      const auto restored = run_line(backend, option, before, "limpetadm");
      ASSERT_EQ(restored.err, "") << "seed " << seed;
      ASSERT_EQ(saved(backend, "limpetadm"), before) << "seed " << seed << ", " << option;
    }
    const auto names = saved(backend, "limpetadm", "-S");
    ASSERT_EQ(run_line(backend, "-R --atomic", "-C\n" + names, "limpetadm").err, "") << "seed " << seed;
    ASSERT_EQ(saved(backend, "limpetadm"), before) << "seed " << seed << ", by names";
  }
}

// Its wrapping comparisons are no order: how three servers are sorted depends on how they stood before.
std::multiset<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::multiset<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

// But for thresholds, which it does not save, and marks that it prints as negative numbers.
TEST(SaveRestore, by_ipvsadms_names_gives_the_same_lines_again) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    FakeBackend backend;
    Tables(seed).fill(backend);
    const auto services = backend.configuration.services();
    for (const auto& each : services) {
      if (each.service.key.mark.value <= INT32_MAX) continue;
      ASSERT_TRUE(backend.execute(DeleteService{each.service.key}));
    }
    const auto before = saved(backend, "ipvsadm-save", "-n");
    const auto restored = run_line(backend, "", "# saved\n" + before, "ipvsadm-restore");
    ASSERT_EQ(restored.err, "") << "seed " << seed;
    ASSERT_EQ(lines_of(saved(backend, "ipvsadm-save", "-n")), lines_of(before)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace limpet::ipvsadm
