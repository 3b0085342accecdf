// SPDX-License-Identifier: Apache-2.0
// The distribution's ipvsadm through liblimpet-ipvs.so and the netlink server, beside limpetadm under its name: some
// hundred command lines one after the other, each on a table of its own. The same bytes, the same exit codes, and the
// same tables.
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "compare/command_lines.h"
#include "compare/real_ipvsadm.h"
#include "ipvs_netlink/server.h"
#include "ipvsadm/run.h"
#include "unit/ipvs_netlink/table_director.h"
#include "unit/ipvsadm/fakes.h"

namespace limpet::compare {
namespace {

constexpr std::uint64_t kUsualSeed = 20261127;
constexpr int kLines = 700;
constexpr std::uint32_t kConnections = 5;

class BothTables : public testing::Test {
 protected:
  BothTables() {
    std::string pattern = (std::filesystem::temp_directory_path() / "limpet-compare-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    director_.connection_count = kConnections;
    ours_.interfaces = director_.interfaces;
    for (std::uint32_t i = 0; i < kConnections; ++i) ours_.connection_table.push_back(api::numbered_connection(i));
    auto socket = ipvs_netlink::listen(directory_, std::nullopt);
    if (!socket) throw std::runtime_error(socket.error().text);
    server_.emplace(loop_, director_, std::move(*socket));
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~BothTables() override {
    boost::asio::post(loop_, [this] {
      server_.reset();
      loop_.stop();
    });
    thread_.join();
    std::filesystem::remove_all(directory_);
  }

  void compare(const Words& words) {
    const std::string line = shown(words);
    const RealOutcome real = run_through_limpet(words, directory_);
    Words arguments = words;
    arguments.insert(arguments.begin(), "ipvsadm");
    std::istringstream nothing;
    std::ostringstream out;
    std::ostringstream err;
    const int exit_code = ipvsadm::run(arguments, ours_, ipvsadm::FakeNames(), {nothing, out, err});
    EXPECT_EQ(exit_code, real.exit_code) << line;
    EXPECT_EQ(out.str(), real.out) << line;
    EXPECT_EQ(err.str(), real.err) << line;
    std::promise<bool> same;
    boost::asio::post(loop_, [&] { same.set_value(director_.configuration == ours_.configuration); });
    ASSERT_TRUE(same.get_future().get()) << line;
  }

  static std::string shown(const Words& words) {
    std::string text = "ipvsadm";
    for (const auto& word : words) text += " '" + word + "'";
    return text;
  }

  std::filesystem::path directory_;
  ipvs_netlink::TableDirector director_;
  ipvsadm::FakeBackend ours_;
  boost::asio::io_context loop_;
  std::optional<ipvs_netlink::Server> server_;
  std::thread thread_;
};

bool holds(const Words& words, std::initializer_list<const char*> texts) {
  for (const auto& word : words) {
    for (const char* text : texts) {
      if (word.find(text) != std::string::npos) return true;
    }
  }
  return false;
}

bool is_numeric(const Words& words) {
  for (const auto& word : words) {
    const bool letters = word.size() > 1 && word[0] == '-' && word[1] != '-';
    if (word == "--numeric" || (letters && word.find('n') != std::string::npos)) return true;
  }
  return false;
}

// Names would be asked of this host, help is limpetadm's own, the version names the program, and -Z of 0.0.0.0 is one
// of docs/differences.md.
bool comparable(const Words& words) {
  const Words command(words.begin(), words.begin() + 1);
  if (holds(words, {"no.such.host", "www.example.net", "http", "domain"})) return false;
  if (holds(command, {"-L", "--list", "-S", "--save"}) && !is_numeric(words)) return false;
  if (holds(command, {"-Z", "--zero"}) && holds(words, {"0.0.0.0", "::"})) return false;
  return !holds(command, {"-h", "--help", "-v", "--version"});
}

// LIMPET_SEED=N repeats a run, or makes another.
TEST_F(BothTables, stay_the_same_whatever_the_distributions_ipvsadm_is_told) {
  const char* given = std::getenv("LIMPET_SEED");
  const auto seed = given == nullptr ? kUsualSeed : std::strtoull(given, nullptr, 10);
  std::cout << "LIMPET_SEED=" << seed << "\n";
  CommandLines lines(seed);
  for (int i = 0; i < kLines && !HasFatalFailure();) {
    const Words words = lines.next();
    if (!comparable(words)) continue;
    compare(words);
    ++i;
  }
}

TEST_F(BothTables, are_listed_and_saved_alike) {
  const std::vector<const char*> rules = {
      "-A -t 192.0.2.1:80 -s wrr -p 600 -M 255.255.255.0",
      "-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 3 -x 9 -y 5",
      "-a -t 192.0.2.1:80 -r 10.0.0.2 -g -w 0",
      "-a -t 192.0.2.1:80 -r 10.0.0.3 -i --tun-type gue --tun-port 6080 --tun-csum",
      "-A -u 192.0.2.1:5060 -s rr -p 300 --pe sip -o",
      "-A --sctp-service 192.0.2.1:99 -s sh -b sh-port",
      "-A -t [2001:db8::1]:443 -s mh -p 60 -M 64",
      "-a -t [2001:db8::1]:443 -r [2001:db8::2]:443 -m",
      "-A -f 10 -s lblc -p",
      "-a -f 10 -r 10.0.0.4:0 -g -w 2147483647",
      "-A -f 10 -6 -s lc",
      "--set 100 200 0",
      "--start-daemon master --mcast-interface lo --syncid 7",
      "--start-daemon backup --mcast-interface eth0 --mcast-group ff02::81 --mcast-port 9 --mcast-ttl 2",
  };
  for (const char* rule : rules) compare(ipvsadm::words(rule));
  for (const char* listing :
       {"-Ln", "-Ln --stats", "-Ln --rate", "-Ln --thresholds", "-Ln --persistent-conn", "-Ln --tun-info", "-Lnc",
        "-Ln --nosort", "-Ln -t 192.0.2.1:80", "-Ln -f 10", "-Ln -t 192.0.2.9:1", "-L --timeout", "-L --daemon", "-Sn",
        "-Z", "-Z -f 10", "-Z -f 11", "-C", "-Ln"}) {
    compare(ipvsadm::words(listing));
  }
}

}  // namespace
}  // namespace limpet::compare
