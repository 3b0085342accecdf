// SPDX-License-Identifier: Apache-2.0
// The page of `limpet what-if`, and how changes are read.
#include "programs/limpet_what_if_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <sstream>

#include "programs/limpet_changes.h"

namespace limpet {
namespace {

using testing::HasSubstr;

const ServiceKey kWeb = ServiceKey::of_address(Protocol::tcp, *Address::parse("192.0.2.1"), Port{80});
const ServiceKey kAll = ServiceKey::of_address(Protocol::tcp, *Address::parse("192.0.2.1"), Port{});

DestinationKey server(int number) { return {*Address::parse("10.0.0." + std::to_string(number)), Port{80}}; }

Service service(const ServiceKey& key, const char* scheduler) {
  Service s;
  s.key = key;
  s.scheduler = scheduler;
  return s;
}

ServiceForesight web_foresight() {
  ServiceForesight f;
  f.service = kWeb;
  f.before = f.after = service(kWeb, "wlc");
  f.targets = {server(2), server(3)};
  f.target_count = 2;
  f.targets_change = true;
  return f;
}

Destination weighing(int number, std::uint32_t weight) {
  Destination d;
  d.key = server(number);
  d.weight = weight;
  return d;
}

TEST(WhatIfPage, a_removed_server) {
  WhatIfPage page;
  ServerForesight removed;
  removed.server = server(1);
  removed.before = weighing(1, 1);
  removed.connections.strand = 1234;
  removed.connections_last = 899;
  removed.clients.move = 1;
  EXPECT_EQ(page.line(web_foresight()),
            "tcp:192.0.2.1:80: wlc\n  new connections go by wlc to 10.0.0.2:80 or 10.0.0.3:80\n");
  EXPECT_EQ(page.line(removed),
            "  10.0.0.1:80: removed\n"
            "    1234 connections strand: packets are dropped silently until the server is back, or the connection has "
            "timed out (the last in 14 min 59 s)\n"
            "    1 persistent client moves with the next connection, to 10.0.0.2:80 or 10.0.0.3:80\n");
  EXPECT_EQ(page.end({}),
            "In all: 1234 connections would strand, 1 persistent client would move.\n"
            "Nothing has been changed.\n");
}

TEST(WhatIfPage, a_quiesced_server_that_was_the_last) {
  WhatIfPage page;
  ServiceForesight service = web_foresight();
  service.targets.clear();
  service.target_count = 0;
  ServerForesight quiesced;
  quiesced.server = server(1);
  quiesced.before = weighing(1, 3);
  quiesced.after = weighing(1, 0);
  quiesced.connections.go_on = 1;
  quiesced.clients.stay = 2;
  EXPECT_EQ(page.line(service) + page.line(quiesced) + page.end({}),
            "tcp:192.0.2.1:80: wlc\n"
            "  new connections are refused: no server has a weight above 0\n"
            "  10.0.0.1:80: weight 3 → 0\n"
            "    1 connection goes on\n"
            "    2 persistent clients stay: new connections of theirs come here\n"
            "In all: no connection and no persistent client would move or strand.\n"
            "Nothing has been changed.\n");
}

TEST(WhatIfPage, a_service_that_another_gives_way_to) {
  WhatIfPage page;
  ServiceForesight all;
  all.service = kAll;
  all.before = all.after = service(kAll, "rr");
  all.taken_over = {{kWeb, 3}};
  all.targets = {server(2)};
  all.target_count = 1;
  EXPECT_EQ(page.line(all),
            "tcp:192.0.2.1:*: rr\n  3 connections are of clients whose next ones tcp:192.0.2.1:80 would take\n");
}

TEST(WhatIfPage, a_service_edited_removed_or_added) {
  WhatIfPage page;
  ServiceForesight f = web_foresight();
  f.before->persistent = f.after->persistent = true;
  f.before->timeout = 300;
  f.after->timeout = 600;
  f.targets_change = false;
  EXPECT_EQ(page.line(f),
            "tcp:192.0.2.1:80: wlc, persistent 5 min → wlc, persistent 10 min\n"
            "  templates that are there keep their 5 min\n");
  f.after.reset();
  EXPECT_EQ(page.line(f), "tcp:192.0.2.1:80, removed\n  new connections are not taken here any more\n");
  ServiceForesight added;
  added.service = ServiceKey::of_mark(Mark{10});
  added.after = service(added.service, "rr");
  added.targets_change = true;
  EXPECT_THAT(page.line(added), HasSubstr("fwm:10, new: rr\n"));
  const std::array<Command, 1> commands = {AddService{*added.after}};
  EXPECT_THAT(page.end(commands), HasSubstr("mark 10 asks this service first"));
}

TEST(WhatIfPage, a_threshold_that_is_reached) {
  WhatIfPage page;
  (void)page.line(web_foresight());
  ServerForesight full;
  full.server = server(1);
  full.before = full.after = weighing(1, 1);
  full.after->upper_threshold = 100;
  full.connections.go_on = 100;
  EXPECT_EQ(
      page.line(full),
      "  10.0.0.1:80: thresholds 0, 0 → 100, 0\n"
      "    100 connections go on\n"
      "    at its threshold of 100 connections: only persistent clients come here until fewer than 75 are left\n");
  full.after->upper_threshold = 101;
  EXPECT_THAT(page.line(full), testing::Not(HasSubstr("at its threshold")));
}

TEST(WhatIfPage, a_hash_that_changes) {
  WhatIfPage page;
  ServiceForesight f = web_foresight();
  f.before->scheduler = f.after->scheduler = "sh";
  f.hash = HashShares{256, 64, 0};
  EXPECT_THAT(page.line(f), HasSubstr("  new connections of 25 % of clients go to another server than before\n"));
  f.hash = HashShares{256, 0, 128};
  EXPECT_THAT(page.line(f), HasSubstr("of 50 % are refused: their server's weight is 0, and sh has no fallback\n"));
}

TEST(WhatIfPage, many_targets_are_counted) {
  WhatIfPage page;
  ServiceForesight f = web_foresight();
  f.target_count = 12;
  EXPECT_THAT(page.line(f), HasSubstr("one of 12 servers: 10.0.0.2:80, 10.0.0.3:80, …\n"));
}

TEST(Changes, are_read_as_limpetadm_reads_them) {
  const ipvsadm::SystemNames names;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"-d", "-t", "192.0.2.1:80", "-r", "10.0.0.1:80"},
        std::vector<std::string>{"limpetadm", "-d", "-t", "192.0.2.1:80", "-r", "10.0.0.1:80"}}) {
    const auto changes = change_of_words(words, names);
    ASSERT_TRUE(changes) << changes.error().text;
    EXPECT_EQ(std::get<DeleteDestination>(changes->front().command).destination, server(1));
  }
  const auto error_of = [&](const std::vector<std::string>& words) {
    return change_of_words(words, names).error().text;
  };
  EXPECT_THAT(error_of({}), HasSubstr("what is to be changed?"));
  EXPECT_THAT(error_of({"-L"}), HasSubstr("this changes nothing"));
  EXPECT_THAT(error_of({"-d", "-t", "192.0.2.1:80"}), HasSubstr("You need to supply the 'real-server' option"));
}

TEST(Changes, of_rules_are_known_by_their_line) {
  const ipvsadm::SystemNames names;
  std::istringstream rules("# a comment\n-A -t 192.0.2.1:80 -s rr\n\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g\n");
  const auto changes = changes_of_rules(rules, names);
  ASSERT_TRUE(changes) << changes.error().text;
  ASSERT_EQ(changes->size(), 2U);
  EXPECT_EQ((*changes)[1].origin, "line 4: -a -t 192.0.2.1:80 -r 10.0.0.1:80 -g");
  std::istringstream wrong("-A -t 192.0.2.1:80\n-L\n");
  EXPECT_THAT(changes_of_rules(wrong, names).error().text, HasSubstr("line 2: -L: this changes nothing"));
  std::istringstream empty("\n");
  EXPECT_FALSE(changes_of_rules(empty, names));
}

}  // namespace
}  // namespace limpet
