// SPDX-License-Identifier: Apache-2.0
// First what fits the command, then perhaps something that does not, then one of the many ways to write it.
#include "compare/command_lines.h"

#include <algorithm>
#include <map>
#include <utility>

namespace limpet::compare {
namespace {

struct Spelling {
  const char* long_name;
  char short_name;  // '\0': none
  bool takes_value;
};

const std::vector<Spelling> kOptions = {
    {"tcp-service", 't', true},
    {"udp-service", 'u', true},
    {"sctp-service", '\0', true},
    {"fwmark-service", 'f', true},
    {"scheduler", 's', true},
    {"persistent", 'p', true},
    {"netmask", 'M', true},
    {"real-server", 'r', true},
    {"masquerading", 'm', false},
    {"ipip", 'i', false},
    {"gatewaying", 'g', false},
    {"weight", 'w', true},
    {"u-threshold", 'x', true},
    {"l-threshold", 'y', true},
    {"numeric", 'n', false},
    {"connection", 'c', false},
    {"mcast-interface", '\0', true},
    {"syncid", '\0', true},
    {"timeout", '\0', false},
    {"daemon", '\0', false},
    {"stats", '\0', false},
    {"rate", '\0', false},
    {"thresholds", '\0', false},
    {"persistent-conn", '\0', false},
    {"nosort", '\0', false},
    {"sort", '\0', false},
    {"exact", 'X', false},
    {"ipv6", '6', false},
    {"ops", 'o', false},
    {"pe", '\0', true},
    {"sched-flags", 'b', true},
    {"mcast-group", '\0', true},
    {"mcast-port", '\0', true},
    {"mcast-ttl", '\0', true},
    {"sync-maxlen", '\0', true},
    {"tun-info", '\0', false},
    {"tun-type", '\0', true},
    {"tun-port", '\0', true},
    {"tun-nocsum", '\0', false},
    {"tun-csum", '\0', false},
    {"tun-remcsum", '\0', false},
    {"add-service", 'A', false},
    {"edit-service", 'E', false},
    {"delete-service", 'D', false},
    {"clear", 'C', false},
    {"list", 'L', false},
    {"zero", 'Z', false},
    {"add-server", 'a', false},
    {"edit-server", 'e', false},
    {"delete-server", 'd', false},
    {"set", '\0', false},
    {"start-daemon", '\0', true},
    {"stop-daemon", '\0', true},
    {"restore", 'R', false},
    {"save", 'S', false},
    {"help", 'h', false},
    {"version", 'v', false},
};

const std::vector<const char*> kCommands = {"add-service",  "edit-service", "delete-service", "clear",         "list",
                                            "zero",         "add-server",   "edit-server",    "delete-server", "set",
                                            "start-daemon", "stop-daemon",  "restore",        "save",          "list",
                                            "add-service",  "add-server"};

// The values that an option takes, and some that it does not.
const std::map<std::string, std::vector<const char*>> kValues = {
    {"fwmark-service", {"1", "10", "2147483648", "4294967295", "0", "-1", "x", "4294967296", "0x10", " 7", "+7", "7 "}},
    {"scheduler", {"rr", "wrr", "lc", "wlc", "sh", "mh", "nosuch", "averyveryverylongschedulername", ""}},
    {"persistent", {"1", "300", "2678400", "0", "2678401", "abc", "-5", "", "3x", " 4"}},
    {"netmask",
     {"255.255.255.0", "255.255.0.0", "24", "64", "128", "129", "0", "", "x", "0x.1", "300.0.0.0", "-1",
      "www.example.net"}},
    {"weight", {"0", "1", "100", "65536", "2147483647", "2147483648", "-1", "x", "", "1.5", "+1", " 1", "0x1"}},
    {"u-threshold", {"0", "10", "2147483647", "2147483648", "-1", "x", ""}},
    {"l-threshold", {"0", "5", "2147483647", "4294967296", "-1", "y"}},
    {"mcast-interface", {"eth0", "lo", "averyveryverylonginterface", ""}},
    {"syncid", {"0", "5", "255", "256", "-1", "x"}},
    {"pe", {"sip", "nosuch", "averyveryverylongengine", ""}},
    {"sched-flags",
     {"flag-1", "flag-2,flag-3", "sh-port", "sh-fallback,sh-port", "mh-port", "mh-fallback", "nosuch", "", ",flag-1,,",
      "flag-1 "}},
    {"mcast-group", {"224.0.0.81", "239.1.2.3", "ff02::1:81", "192.0.2.1", "fd00::1", "x", ":", ""}},
    {"mcast-port", {"1", "8848", "65535", "0", "65536", "x"}},
    {"mcast-ttl", {"1", "255", "0", "256", ""}},
    {"sync-maxlen", {"1", "1472", "65507", "65508", "0", "x"}},
    {"tun-type", {"ipip", "gue", "gre", "nosuch", ""}},
    {"tun-port", {"6080", "1", "65535", "0", "65536", "x"}},
    {"start-daemon", {"master", "backup", "nosuch", ""}},
    {"stop-daemon", {"master", "backup", "nosuch"}},
};

// What goes with a command besides services and servers.
const std::map<std::string, std::vector<const char*>> kFitting = {
    {"add-service", {"scheduler", "persistent", "netmask", "ops", "pe", "sched-flags"}},
    {"edit-service", {"scheduler", "persistent", "netmask", "ops", "pe", "sched-flags"}},
    {"add-server",
     {"gatewaying", "masquerading", "ipip", "ipip", "weight", "u-threshold", "l-threshold", "tun-type", "tun-port",
      "tun-nocsum", "tun-csum", "tun-remcsum"}},
    {"edit-server", {"gatewaying", "masquerading", "ipip", "weight", "u-threshold", "l-threshold"}},
    {"list",
     {"numeric", "stats", "rate", "thresholds", "persistent-conn", "nosort", "sort", "exact", "tun-info", "connection",
      "timeout", "daemon", "syncid"}},
    {"start-daemon", {"mcast-interface", "syncid", "mcast-group", "mcast-port", "mcast-ttl", "sync-maxlen"}},
    {"stop-daemon", {"syncid"}},
    {"save", {"numeric"}},
};

const Spelling& spelling(const std::string& long_name) {
  return *std::find_if(kOptions.begin(), kOptions.end(), [&](const auto& each) { return long_name == each.long_name; });
}

bool in(const std::string& text, std::initializer_list<const char*> texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

// Either an option or, without a name, a word that is none.
struct CommandLines::Given {
  std::string long_name;
  std::string value;
};

std::string CommandLines::endpoint() {
  const auto host = any({"192.0.2.1",
                         "10.0.0.1",
                         "127.0.0.1",
                         "[2001:db8::1]",
                         "[fd00::1]",
                         "[::1]",
                         "192.0.2.10",
                         "10.1.2.3",
                         "www.example.net",
                         "fd00::1",
                         "1.2.3",
                         "0x7f.1",
                         "12345",
                         "300.1.1.1",
                         "no.such.host",
                         "[192.0.2.1]",
                         "[",
                         "[fd00::1",
                         "",
                         "0.0.0.0",
                         "::",
                         "-1"});
  if (one_in(5)) return host;
  return host + ":" + any({"80", "443", "0", "65535", "8080", "53", "http", "domain", "65536", "-1", "x", "", "8 "});
}

std::string CommandLines::value_of(const std::string& long_name) {
  const auto values = kValues.find(long_name);
  if (values == kValues.end()) return endpoint();
  // The valid ones stand first.
  const auto& texts = values->second;
  return texts[one_in(4) ? below(texts.size()) : below((texts.size() + 2) / 3)];
}

CommandLines::Given CommandLines::option(const std::string& long_name) {
  return {long_name, spelling(long_name).takes_value ? value_of(long_name) : ""};
}

CommandLines::Given CommandLines::service() {
  return option(any({"tcp-service", "tcp-service", "udp-service", "sctp-service", "fwmark-service"}));
}

std::vector<CommandLines::Given> CommandLines::fitting(const std::string& command) {
  std::vector<Given> options;
  const bool needs_server = in(command, {"add-server", "edit-server", "delete-server"});
  if (needs_server || in(command, {"add-service", "edit-service", "delete-service"}) ||
      (in(command, {"list", "zero"}) && one_in(2))) {
    options.push_back(service());
    if (options.back().long_name == "fwmark-service" && one_in(3)) options.push_back(option("ipv6"));
  }
  if (needs_server) options.push_back(option("real-server"));
  if (const auto more = kFitting.find(command); more != kFitting.end()) {
    for (std::size_t count = below(4); count > 0; --count) options.push_back(option(any(more->second)));
  }
  if (command == "set") {
    for (int i = 0; i < 3; ++i) options.push_back({"", any({"0", "900", "2678400", "2678401", "x", "-1"})});
  }
  return options;
}

void CommandLines::spoil(std::vector<Given>& options) {
  switch (below(5)) {
    case 0:
      if (!options.empty()) options.erase(options.begin() + static_cast<std::ptrdiff_t>(below(options.size())));
      break;
    case 1:
      if (!options.empty()) options.push_back(options[below(options.size())]);
      break;
    case 2:
      options.push_back({"", any({"garbage", "-", "--", "", "--nosuch", "--num", "-Q", "-nQ", "--stats=5", "-n=5"})});
      break;
    default:
      options.push_back(option(kOptions[below(kOptions.size())].long_name));
  }
  std::shuffle(options.begin(), options.end(), engine_);
}

void CommandLines::write(const Given& given, Words& words) {
  if (given.long_name.empty()) {
    words.push_back(given.value);
    return;
  }
  const auto& name = spelling(given.long_name);
  const bool short_form = name.short_name != '\0' && !one_in(3);
  const std::string option = short_form ? std::string("-") + name.short_name : "--" + given.long_name;
  // Now and then an option joins the letters before it.
  const bool joins = short_form && !words.empty() && words.back().size() > 1 && words.back()[1] != '-' && one_in(3);
  if (joins && words.back().front() == '-') {
    words.back() += name.short_name;
  } else {
    words.push_back(option);
  }
  if (!name.takes_value) return;
  const bool left_out = given.long_name == "persistent" ? one_in(2) : one_in(60);
  if (left_out) return;
  switch (below(4)) {
    case 0:
      words.back() += "=" + given.value;
      break;
    case 1:
      if (short_form) {
        words.back() += given.value;
        break;
      }
      [[fallthrough]];
    default:
      words.push_back(given.value);
  }
}

Words CommandLines::next() {
  const std::string command = one_in(12) ? kOptions[below(kOptions.size())].long_name : any(kCommands);
  auto options = fitting(command);
  if (one_in(3)) std::shuffle(options.begin(), options.end(), engine_);
  if (one_in(4)) spoil(options);
  Words words;
  write(option(command), words);
  for (const auto& each : options) write(each, words);
  return words;
}

}  // namespace limpet::compare
