// SPDX-License-Identifier: Apache-2.0
// The journal gives back what was put into it.
#include "director/journal.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "unit/director/journal_fixture.h"

namespace limpet {
namespace {

TEST_F(JournalTest, a_first_start_makes_the_directory_and_finds_nothing) {
  const auto deep = directory() / "var" / "lib" / "limpet";
  auto opened = Journal::open(deep, replay);
  ASSERT_TRUE(opened) << opened.error().text;
  EXPECT_FALSE(replay.found);
  EXPECT_TRUE(replay.problems.empty());
  EXPECT_EQ(replay.configuration, Configuration());
  EXPECT_TRUE(std::filesystem::exists(deep / "journal"));
}

TEST_F(JournalTest, a_lost_journal_begins_anew_with_what_is_running) {
  Configuration running;
  running.apply(AddService{service("fwm/10")});
  running.apply(AddDestination{service_key("fwm/10"), server("10.0.0.1:0")});
  auto opened = Journal::open(directory(), replay, running);
  ASSERT_TRUE(opened) << opened.error().text;
  EXPECT_FALSE(replay.found);
  EXPECT_EQ(replay.configuration, running);
  open();
  EXPECT_TRUE(replay.found) << "and is there at once, for a daemon killed right after";
  EXPECT_EQ(replay.configuration, running);
}

TEST_F(JournalTest, a_journal_that_is_there_decides_against_what_is_running) {
  open();
  Configuration running;
  running.apply(AddService{service("fwm/10")});
  close();
  auto opened = Journal::open(directory(), replay, running);
  ASSERT_TRUE(opened) << opened.error().text;
  EXPECT_EQ(replay.configuration, Configuration());
}

TEST_F(JournalTest, only_its_owner_may_read_it) {
  open();
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(JournalTest, every_kind_of_command_is_carried_out_again_when_it_is_read) {
  open();
  run(AddService{service("tcp/192.0.2.9:1")});
  run(Flush{});
  run(SetTimeouts{{.tcp = 1000, .tcp_fin = 0, .udp = 30}});
  run(SetTunables{{{"sloppy_tcp", "1"}, {"conn_reuse_mode", "-1"}}});
  run(AddService{service("tcp/192.0.2.1:80")});
  run(AddService{service("udp/192.0.2.1:53")});
  run(AddService{service("fwm/10")});
  run(AddDestination{service_key("tcp/192.0.2.1:80"), server("10.0.0.1:80")});
  run(AddDestination{service_key("tcp/192.0.2.1:80"), server("10.0.0.2:80", 7)});
  run(EditDestination{service_key("tcp/192.0.2.1:80"), server("10.0.0.1:80", 0)});
  run(DeleteDestination{service_key("tcp/192.0.2.1:80"), server_key("10.0.0.2:80")});
  run(DeleteService{service_key("udp/192.0.2.1:53")});
  run(Zero{});
  run(Zero{service_key("fwm/10")});
  run(StartSyncDaemon{{.role = SyncRole::backup, .interface = "eth1", .sync_id = 7, .max_length = 1472}});
  run(StartSyncDaemon{{.role = SyncRole::master, .group = *Address::parse("ff02::1:81"), .ttl = 3}});
  run(StopSyncDaemon{SyncRole::backup});
  run(StartSyncDaemon{{.role = SyncRole::backup, .interface = "eth2", .port = Port{9000}}});
  auto sticky = service("fwm/10");
  sticky.persistent = true;
  sticky.timeout = 1800;
  run(EditService{sticky});
  open();
  EXPECT_TRUE(replay.found);
  EXPECT_TRUE(replay.problems.empty());
  EXPECT_EQ(replay.configuration, expected);
}

TEST_F(JournalTest, a_group_of_commands_is_one_line) {
  open();
  JournalGroup group;
  for (const Command& command : {Command{AddService{service("fwm/10")}}, Command{AddService{service("fwm/11")}},
                                 Command{DeleteService{service_key("fwm/10")}}}) {
    group.add(command);
    expected.apply(command);
  }
  const auto before = std::filesystem::file_size(file());
  append(group);
  JournalGroup nothing;
  append(nothing);
  std::ifstream text(file());
  text.seekg(static_cast<std::streamoff>(before));
  const std::string added(std::istreambuf_iterator<char>(text), {});
  EXPECT_EQ(lines_of(added).size(), 1u);
  open();
  EXPECT_TRUE(replay.problems.empty());
  EXPECT_EQ(replay.configuration, expected);
}

// Some MiB: several pieces.
JournalGroup long_group(Configuration& expected) {
  JournalGroup group;
  for (std::uint32_t mark = 1; mark <= 20000; ++mark) {
    const AddService command{service("fwm/" + std::to_string(mark + 100))};
    group.add(command);
    expected.apply(command);
  }
  return group;
}

TEST_F(JournalTest, a_command_between_the_pieces_of_a_group_comes_first_and_the_group_begins_anew) {
  open();
  Configuration grouped;
  auto group = long_group(grouped);
  EXPECT_FALSE(*journal->append_piece(group));
  run(AddService{service("fwm/10")});
  append(group);
  open();
  EXPECT_TRUE(replay.problems.empty());
  EXPECT_EQ(replay.configuration.services().size(), grouped.services().size() + 1);
  EXPECT_EQ(replay.configuration.services().back().service.key, service_key("fwm/10"));
}

TEST_F(JournalTest, of_a_group_that_is_given_up_nothing_is_left) {
  open();
  run(AddService{service("fwm/10")});
  Configuration ignored;
  auto group = long_group(ignored);
  auto other = long_group(ignored);
  EXPECT_FALSE(*journal->append_piece(group));
  EXPECT_TRUE(journal->is_busy_with_another(other));
  journal->give_up(other);
  EXPECT_TRUE(journal->is_busy_with_another(other));
  journal->give_up(group);
  EXPECT_FALSE(journal->is_busy_with_another(other));
  run(AddService{service("fwm/11")});
  open();
  EXPECT_TRUE(replay.problems.empty());
  EXPECT_EQ(replay.configuration, expected);
}

TEST_F(JournalTest, every_property_of_a_service_and_a_destination_is_kept) {
  open();
  auto rich = service("udp/[2001:db8::1]:5060");
  rich.scheduler = "sh";
  rich.persistent = true;
  rich.timeout = kMaxTimeoutSeconds;
  rich.netmask = 64;
  rich.one_packet = true;
  rich.scheduler_flags = sched_flag_1 | sched_flag_3;
  rich.persistence_engine = "sip";
  run(AddService{rich});
  auto masked = service("fwm/4294967295");
  masked.persistent = true;
  masked.timeout = 1;
  masked.netmask = 0x00ff00ff;
  run(AddService{masked});
  Destination tunnelled = server("[2001:db8::2]:0", kMaxWeight);
  tunnelled.method = ForwardingMethod::tunnel;
  tunnelled.upper_threshold = 10;
  tunnelled.lower_threshold = 5;
  tunnelled.tunnel = {TunnelType::gue, Port{6080}, 2};
  run(AddDestination{rich.key, tunnelled});
  Destination masq = server("10.0.0.1:8080", 0);
  masq.method = ForwardingMethod::masq;
  run(AddDestination{masked.key, masq});
  for (int start = 0; start < 2; ++start) {
    open();
    EXPECT_EQ(replay.configuration, expected) << "start " << start;
  }
}

TEST_F(JournalTest, services_and_destinations_keep_their_order_over_any_number_of_starts) {
  open();
  for (const char* name : {"tcp/192.0.2.3:80", "tcp/192.0.2.1:80", "fwm/5", "tcp/192.0.2.2:80"})
    run(AddService{service(name)});
  for (const char* endpoint : {"10.0.0.2:80", "10.0.0.9:80", "10.0.0.1:80"})
    run(AddDestination{service_key("tcp/192.0.2.1:80"), server(endpoint)});
  for (int start = 0; start < 3; ++start) {
    open();
    ASSERT_EQ(replay.configuration, expected);
    EXPECT_EQ(replay.configuration.services().front().service.key, service_key("tcp/192.0.2.2:80"));
    EXPECT_EQ(replay.configuration.find(service_key("tcp/192.0.2.1:80"))->destinations.front().key,
              server_key("10.0.0.1:80"));
  }
}

TEST_F(JournalTest, a_start_leaves_only_the_outcome_in_the_file) {
  open();
  run(AddService{service("tcp/192.0.2.1:80")});
  run(AddDestination{service_key("tcp/192.0.2.1:80"), server("10.0.0.1:80")});
  for (std::uint32_t weight = 0; weight < 500; ++weight)
    run(EditDestination{service_key("tcp/192.0.2.1:80"), server("10.0.0.1:80", weight)});
  EXPECT_GT(lines_of(read_file(file())).size(), 500u);
  open();
  EXPECT_EQ(replay.configuration, expected);
  EXPECT_EQ(lines_of(read_file(file())).size(), 3u) << "timeouts, service, destination";
  EXPECT_FALSE(std::filesystem::exists(directory() / "journal.new"));
}

TEST_F(JournalTest, a_rewritten_journal_holds_the_given_configuration_and_takes_further_commands) {
  open();
  run(AddService{service("tcp/192.0.2.1:80")});
  Configuration other;
  other.apply(AddService{service("fwm/7")});
  ASSERT_TRUE(journal->rewrite(other));
  expected = other;
  run(AddDestination{service_key("fwm/7"), server("10.0.0.1:80")});
  ASSERT_TRUE(journal->sync());
  open();
  EXPECT_EQ(replay.configuration, expected);
}

TEST_F(JournalTest, commands_and_a_rewrite_go_on_while_it_is_brought_to_the_disk) {
  const auto open_files = [] {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return std::distance(begin(files), end(files));
  };
  const auto before = open_files();
  open();
  for (std::uint32_t i = 1; i <= 20; ++i) {
    run(AddService{service("fwm/" + std::to_string(i))});
    ASSERT_TRUE(journal->sync());
    if (i % 10 == 0) {
      ASSERT_TRUE(journal->rewrite(expected));
    }
  }
  close();
  EXPECT_EQ(open_files(), before);
  open();
  EXPECT_EQ(replay.configuration, expected);
}

TEST_F(JournalTest, changes_without_end_do_not_fill_the_disk) {
  open();
  run(AddService{service("tcp/192.0.2.1:80")});
  run(AddDestination{service_key("tcp/192.0.2.1:80"), server("10.0.0.1:80")});
  std::uintmax_t largest = 0;
  for (std::uint32_t i = 0; i < 20000; ++i) {
    run(EditDestination{service_key("tcp/192.0.2.1:80"), server("10.0.0.1:80", i % 100)});
    ASSERT_TRUE(journal->compact(expected));
    largest = std::max(largest, std::filesystem::file_size(file()));
  }
  EXPECT_LT(largest, 2U << 20);
  EXPECT_GT(largest, 1U << 20) << "and it is not rewritten all the time";
  open();
  EXPECT_EQ(replay.configuration, expected);
}

TEST_F(JournalTest, a_large_table_that_was_restored_is_not_written_again) {
  open();
  JournalGroup group;
  for (std::uint32_t i = 0; i < 10000; ++i) {
    const Command add = AddService{service("fwm/" + std::to_string(i + 1))};
    group.add(add);
    expected.apply(add);
  }
  append(group);
  const auto before = std::filesystem::file_size(file());
  ASSERT_GT(before, 1U << 20);
  ASSERT_TRUE(journal->compact(expected));
  run(AddService{service("tcp/192.0.2.1:80")});
  ASSERT_TRUE(journal->compact(expected));
  EXPECT_GT(std::filesystem::file_size(file()), before) << "nothing of it has been overtaken";
}

TEST_F(JournalTest, thousands_of_services_are_written_and_read) {
  open();
  for (int i = 0; i < 2000; ++i) {
    const std::string name = "tcp/10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1:80";
    ASSERT_NO_FATAL_FAILURE(run(AddService{service(name)}));
    ASSERT_NO_FATAL_FAILURE(run(AddDestination{service_key(name), server("192.0.2.1:80")}));
  }
  open();
  EXPECT_EQ(replay.configuration, expected);
}

}  // namespace
}  // namespace limpet
