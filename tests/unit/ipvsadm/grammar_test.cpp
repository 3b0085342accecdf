// SPDX-License-Identifier: Apache-2.0
// Odd but legal command lines, and mistakes the recorded commands do not make; each tried on the real ipvsadm.
#include "ipvsadm/grammar.h"

#include <gtest/gtest.h>

#include "unit/ipvsadm/fakes.h"

namespace limpet::ipvsadm {
namespace {

template <class Kind>
Kind parsed(const std::string& line) {
  const auto result = parse("ipvsadm", words(line), FakeNames());
  const auto* failure = std::get_if<ParseFailure>(&result);
  EXPECT_EQ(failure, nullptr) << line << ": " << (failure == nullptr ? "" : failure->text);
  return std::get<Kind>(std::get<Command>(std::get<ParsedCommand>(result)));
}

std::string mistake(const std::string& line) {
  const auto result = parse("ipvsadm", words(line), FakeNames());
  const auto* failure = std::get_if<ParseFailure>(&result);
  return failure == nullptr ? "" : failure->text;
}

TEST(Grammar, an_option_takes_its_argument_attached_or_apart) {
  for (const auto* line : {"-A -t 192.0.2.1:80 -p 300", "-At 192.0.2.1:80 -p300", "-A -t192.0.2.1:80 -p=300",
                           "--add-service --tcp-service=192.0.2.1:80 --persistent=300"}) {
    EXPECT_EQ(parsed<AddService>(line).service.timeout, 300u) << line;
  }
}

TEST(Grammar, persistence_without_a_value_lasts_six_minutes) {
  EXPECT_EQ(parsed<AddService>("-A -t 192.0.2.1:80 -p -s rr").service.timeout, kDefaultPersistenceSeconds);
  EXPECT_EQ(parsed<AddService>("-A -t 192.0.2.1:80 -p").service.timeout, kDefaultPersistenceSeconds);
  EXPECT_EQ(mistake("-A -t 192.0.2.1:80 -p ''"), "invalid timeout value `' specified");
  EXPECT_EQ(mistake("-At 192.0.2.1:80 -pn"), "invalid timeout value `n' specified");
}

TEST(Grammar, flags_take_no_argument) {
  EXPECT_EQ(mistake("-L -n=5"), "-n=5: option does not take an argument");
  EXPECT_EQ(mistake("-L --stats=5"), "--stats=5: option does not take an argument");
  EXPECT_EQ(mistake("-L --sta"), "--sta: unknown option");
}

TEST(Grammar, addresses_are_read_as_inet_aton_reads_them) {
  EXPECT_EQ(parsed<DeleteService>("-D -t 0x7f.1:80").key.to_string(), "tcp/127.0.0.1:80");
  EXPECT_EQ(parsed<DeleteService>("-D -t 12345:80").key.to_string(), "tcp/0.0.48.57:80");
  EXPECT_EQ(parsed<DeleteService>("-D -t www.example.net:http").key.to_string(), "tcp/192.0.2.1:80");
  EXPECT_EQ(parsed<DeleteService>("-D -t [192.0.2.1]:80").key.to_string(), "tcp/192.0.2.1:0");
  EXPECT_EQ(parsed<DeleteService>("-D -t fd00::1").key.to_string(), "tcp/[fd00::1]:0");
  EXPECT_EQ(mistake("-D -t 12345"), "illegal virtual server address[:port] specified");
}

TEST(Grammar, direct_routing_forces_the_port_of_the_service) {
  EXPECT_EQ(parsed<AddDestination>("-a -t 192.0.2.1:80 -r 192.0.2.20:8080").destination.key.port.value, 80);
  EXPECT_EQ(parsed<AddDestination>("-a -t 192.0.2.1:80 -r 192.0.2.20:8080 -m").destination.key.port.value, 8080);
  EXPECT_EQ(parsed<AddDestination>("-a -t 192.0.2.1:80 -r 192.0.2.20 -m").destination.key.port.value, 80);
  EXPECT_EQ(parsed<AddDestination>("-a -f 3 -r 192.0.2.20:8080").destination.key.port.value, 8080);
  EXPECT_EQ(parsed<AddDestination>("-a -f 3 -r 192.0.2.20").destination.key.port.value, 0);
  EXPECT_EQ(parsed<DeleteDestination>("-d -t 192.0.2.1:80 -r 192.0.2.20:8080").destination.port.value, 8080);
}

TEST(Grammar, a_server_before_its_service_knows_nothing_of_its_port) {
  EXPECT_EQ(parsed<AddDestination>("-a -r 192.0.2.20 -t 192.0.2.1:80 -m").destination.key.port.value, 0);
  EXPECT_EQ(parsed<AddDestination>("-a -r 192.0.2.20 -t 192.0.2.1:80").destination.key.port.value, 80);
}

TEST(Grammar, a_mark_may_be_for_ipv6) {
  const auto service = parsed<AddService>("-A -f 5 -6 -M 64").service;
  EXPECT_EQ(service.key.to_string(), "fwm6/5");
  EXPECT_EQ(service.netmask, 64u);
  EXPECT_EQ(mistake("-A -6 -f 5"), "-6 used before -f\n");
}

TEST(Grammar, an_ipv6_address_forgets_an_earlier_netmask) {
  EXPECT_EQ(parsed<AddService>("-A -M 255.0.0.0 -t [fd00::1]:80").service.netmask, 128u);
  EXPECT_EQ(parsed<AddService>("-A -t [fd00::1]:80 -M 48").service.netmask, 48u);
}

TEST(Grammar, scheduler_flags_are_judged_before_anything_else) {
  EXPECT_EQ(mistake("-A -b foo"), "invalid scheduler flag `foo'");
  EXPECT_EQ(mistake("-L -b sh-port"), "incompatible scheduler flag `sh-port'");
  EXPECT_EQ(parsed<AddService>("-A -t 192.0.2.1:80 -b mh-port,, -s mh").service.scheduler_flags, sched_flag_2);
  EXPECT_EQ(parsed<AddService>("-A -t 192.0.2.1:80 -b mh-port -s maglev").service.scheduler_flags, sched_flag_2);
  EXPECT_EQ(mistake("-A -t 192.0.2.1:80 -s maglev -b sh-port"), "incompatible scheduler flag `sh-port'");
}

TEST(Grammar, arguments_that_are_no_options_are_unexpected) {
  EXPECT_EQ(mistake("-L -"), "unexpected argument -");
  EXPECT_EQ(mistake("-L ''"), "unexpected argument ");
  EXPECT_EQ(mistake("--set 1 2 3 4"), "unexpected argument 4");
  EXPECT_EQ(mistake("--set 1 2 -- -3"), "invalid timeout value `-3' specified");
  EXPECT_EQ(mistake("-- -L"), "Try `ipvsadm -h' or 'ipvsadm --help' for more information.");
}

TEST(Grammar, list_shows_one_thing_at_a_time) {
  EXPECT_EQ(mistake("-L -c -t 192.0.2.1:80"),
            "The option 'service-address' conflicts with the 'connection' option in the 'list' command");
  EXPECT_EQ(mistake("-L --timeout --daemon"),
            "The option 'daemon' conflicts with the 'timeout' option in the 'list' command");
}

TEST(Grammar, tunnel_options_must_fit_the_tunnel) {
  const std::string add = "-a -t 192.0.2.1:80 -r 192.0.2.20 ";
  EXPECT_EQ(mistake(add + "-i --tun-type gre --tun-csum --tun-nocsum"),
            "The option 'tun-csum' conflicts with the 'tun-nocsum' option in the 'gre' tunnel type");
  EXPECT_EQ(mistake(add + "-i --tun-type gue --tun-port 0"), "illegal tunnel port specified");
  EXPECT_EQ(mistake(add + "-m --tun-csum"), "Tunnel options conflict with forward method");
}

TEST(Grammar, daemon_options_are_checked) {
  EXPECT_EQ(mistake("--start-daemon master --mcast-group 192.0.2.1"), "invalid IPv4 mcast-group `192.0.2.1'");
  EXPECT_EQ(mistake("--start-daemon master --mcast-group ff02:"), "invalid IPv6 mcast-group `ff02:'");
  EXPECT_EQ(mistake("--start-daemon=master --mcast-ttl 0"), "illegal mcast-ttl specified");
  EXPECT_EQ(mistake("--stop-daemon nosuch"), "illegal start_daemon specified");
}

}  // namespace
}  // namespace limpet::ipvsadm
