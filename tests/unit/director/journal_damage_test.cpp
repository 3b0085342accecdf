// SPDX-License-Identifier: Apache-2.0
// The journal after interrupted writes, damage and full disks.
#include <algorithm>
#include <random>

#include <gmock/gmock.h>

#include "unit/director/file_size_limit.h"
#include "unit/director/journal_fixture.h"

namespace limpet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kWeb = "tcp/192.0.2.1:80";

class DamagedJournalTest : public JournalTest {
 protected:
  // Four lines: timeouts, service, two destinations.
  void SetUp() override {
    open();
    run(AddService{service(kWeb)});
    run(AddDestination{service_key(kWeb), server("10.0.0.1:80")});
    run(AddDestination{service_key(kWeb), server("10.0.0.2:80", 5)});
    close();
  }
  Configuration without(const char* endpoint) const {
    Configuration less = expected;
    less.apply(DeleteDestination{service_key(kWeb), server_key(endpoint)});
    return less;
  }
};

TEST_F(DamagedJournalTest, an_interrupted_last_line_is_left_out_and_reported) {
  const std::string whole = read_file(file());
  write_file(file(), whole.substr(0, whole.size() - 10));
  open();
  EXPECT_THAT(replay.problems, ElementsAre(HasSubstr("line 4")));
  EXPECT_EQ(replay.configuration, without("10.0.0.2:80"));
  EXPECT_FALSE(std::filesystem::exists(damaged())) << "an interrupted write is no damage";
  open();
  EXPECT_THAT(replay.problems, IsEmpty()) << "reported once";
}

TEST_F(DamagedJournalTest, a_last_line_that_lacks_only_its_end_counts) {
  const std::string whole = read_file(file());
  write_file(file(), whole.substr(0, whole.size() - 1));
  open();
  EXPECT_THAT(replay.problems, IsEmpty());
  EXPECT_EQ(replay.configuration, expected);
}

// Some file systems show blocks that were allocated and never written after a power failure.
TEST_F(DamagedJournalTest, zero_bytes_behind_the_last_line_cost_nothing_but_a_report) {
  write_file(file(), read_file(file()) + std::string(512, '\0'));
  open();
  EXPECT_THAT(replay.problems, ElementsAre(HasSubstr("line 5")));
  EXPECT_EQ(replay.configuration, expected);
}

// A line can reach the disk in parts, the middle of it last.
TEST_F(DamagedJournalTest, a_last_line_of_which_any_part_was_never_written_costs_itself_only) {
  const std::string whole = read_file(file());
  const std::size_t begin = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t from = begin; from + 1 < whole.size(); ++from) {
    for (const std::size_t length : {std::size_t{1}, std::size_t{5}, whole.size()}) {
      std::string torn = whole;
      const std::size_t zeros = std::min(length, whole.size() - from);
      torn.replace(from, zeros, zeros, '\0');
      write_file(file(), torn);
      ASSERT_NO_FATAL_FAILURE(open());
      ASSERT_EQ(replay.configuration, without("10.0.0.2:80")) << from << " " << zeros;
      ASSERT_FALSE(replay.problems.empty()) << from << " " << zeros;
    }
  }
}

TEST_F(DamagedJournalTest, garbage_behind_the_last_line_costs_nothing_but_reports) {
  const std::string whole = read_file(file());
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    std::string garbage;
    for (unsigned length = 1 + random() % 300; length > 0; --length)
      garbage.push_back(random() % 20 == 0 ? '\n' : static_cast<char>(random()));
    write_file(file(), whole + garbage);
    ASSERT_NO_FATAL_FAILURE(open());
    ASSERT_EQ(replay.configuration, expected) << i;
  }
}

// As on a full disk.
TEST_F(DamagedJournalTest, one_that_cannot_be_written_anew_goes_on_as_it_is) {
  std::filesystem::create_directory(directory() / "journal.new");
  for (const std::string& torn : {std::string(), std::string("{\"op\": \"add-serv")}) {
    write_file(file(), read_file(file()) + torn);
    open();
    ASSERT_FALSE(replay.problems.empty());
    EXPECT_THAT(replay.problems.back(), HasSubstr("journal.new"));
    EXPECT_EQ(replay.configuration, expected);
    run(AddService{service("fwm/" + std::to_string(torn.size() + 1))});
  }
  std::filesystem::remove(directory() / "journal.new");
  open();
  EXPECT_EQ(replay.configuration, expected);
}

TEST_F(DamagedJournalTest, a_damaged_line_in_the_middle_is_reported_and_the_file_kept) {
  auto lines = lines_of(read_file(file()));
  const std::string old = lines[0] + "\n" + lines[1] + "\n{\"op\": \"add-dest@@@\n" + lines[3] + "\n";
  write_file(file(), old);
  open();
  EXPECT_THAT(replay.problems, ElementsAre(HasSubstr("line 3")));
  EXPECT_EQ(replay.configuration, without("10.0.0.1:80"));
  EXPECT_EQ(read_file(damaged()), old);
  open();
  EXPECT_THAT(replay.problems, IsEmpty());
  EXPECT_EQ(replay.configuration, without("10.0.0.1:80"));
  EXPECT_EQ(read_file(damaged()), old) << "kept until somebody has looked at it";
}

TEST_F(DamagedJournalTest, lines_that_can_no_longer_be_carried_out_are_reported_one_by_one) {
  const auto lines = lines_of(read_file(file()));
  write_file(file(), lines[0] + "\n" + lines[2] + "\n" + lines[3] + "\n");  // the service's own line is lost
  open();
  EXPECT_THAT(replay.problems, ElementsAre(HasSubstr("line 2"), HasSubstr("line 3")));
  EXPECT_THAT(replay.problems[0], HasSubstr(kWeb)) << "says what is missing";
  EXPECT_TRUE(replay.configuration.services().empty());
  EXPECT_TRUE(std::filesystem::exists(damaged()));
}

TEST_F(DamagedJournalTest, a_file_of_anything_at_all_is_survived) {
  for (const std::string& text : {std::string("\n\n\n"), std::string("null\n[]\n42\n"), std::string("\xff\xfe\x80\n"),
                                  std::string(100000, '['), std::string(1, '\0') + "\n"}) {
    write_file(file(), text);
    ASSERT_NO_FATAL_FAILURE(open());
    EXPECT_EQ(replay.configuration, Configuration());
  }
}

TEST_F(JournalTest, a_write_interrupted_anywhere_loses_at_most_the_command_it_was_for) {
  open();
  std::vector<Configuration> states{expected};
  for (const Command& command :
       {Command{SetTimeouts{{60, 20, 10}}}, Command{AddService{service("fwm/10")}}, Command{AddService{service(kWeb)}},
        Command{AddDestination{service_key(kWeb), server("10.0.0.1:80")}},
        Command{EditDestination{service_key(kWeb), server("10.0.0.1:80", 9)}},
        Command{DeleteService{service_key("fwm/10")}}}) {
    ASSERT_NO_FATAL_FAILURE(run(command));
    states.push_back(expected);
  }
  close();
  const std::string whole = read_file(file());
  const auto first = whole.find('\n') + 1;  // what open() wrote was synced before the first command
  for (std::size_t length = first; length <= whole.size(); ++length) {
    write_file(file(), whole.substr(0, length));
    const auto ends =
        static_cast<std::size_t>(std::count(whole.begin(), whole.begin() + static_cast<long>(length), '\n'));
    const bool at_end = whole[length - 1] == '\n';
    const bool only_end_missing = length < whole.size() && whole[length] == '\n';
    ASSERT_NO_FATAL_FAILURE(open());
    ASSERT_EQ(replay.configuration, states[ends - 1 + (only_end_missing ? 1 : 0)]) << length << " bytes";
    ASSERT_EQ(replay.problems.size(), at_end || only_end_missing ? 0u : 1u) << length << " bytes";
    ASSERT_FALSE(std::filesystem::exists(damaged())) << length << " bytes";
  }
}

TEST_F(DamagedJournalTest, a_command_that_does_not_fit_on_the_disk_leaves_the_file_as_it_was) {
  open();
  const std::string before = read_file(file());
  const Command more = AddDestination{service_key(kWeb), server("10.0.0.3:80")};
  for (const std::size_t room : {0u, 1u, 50u}) {
    const FileSizeLimit full(before.size() + room);
    const auto written = journal->append(more);
    ASSERT_FALSE(written) << room << " bytes";
    EXPECT_THAT(written.error().text, HasSubstr(file().string()));
    EXPECT_EQ(read_file(file()), before) << room << " bytes";
  }
  run(more);
  open();
  EXPECT_THAT(replay.problems, IsEmpty());
  EXPECT_EQ(replay.configuration, expected) << "and goes on once there is room again";
}

TEST_F(DamagedJournalTest, a_rewrite_that_does_not_fit_leaves_the_old_journal_in_use) {
  open();
  const std::string before = read_file(file());
  {
    const FileSizeLimit full(20);
    EXPECT_FALSE(journal->rewrite(expected));
  }
  EXPECT_EQ(read_file(file()), before);
  run(DeleteDestination{service_key(kWeb), server_key("10.0.0.1:80")});
  open();
  EXPECT_EQ(replay.configuration, expected);
}

TEST_F(DamagedJournalTest, on_a_full_disk_the_services_come_back_and_nothing_can_be_changed) {
  const std::string before = read_file(file());
  {
    const FileSizeLimit full(20);
    open();
    EXPECT_THAT(replay.problems, ElementsAre(HasSubstr(directory().string())));
    EXPECT_EQ(replay.configuration, expected);
    EXPECT_FALSE(journal->append(AddService{service("fwm/10")}));
  }
  EXPECT_EQ(read_file(file()), before);
  run(AddService{service("fwm/10")});
  open();
  EXPECT_EQ(replay.configuration, expected) << "there is room again";
}

TEST_F(DamagedJournalTest, a_torn_line_stays_apart_from_what_comes_when_a_full_disk_has_taken_only_its_end) {
  const std::string whole = read_file(file());
  const std::string torn = whole.substr(0, whole.size() - 5);
  std::ofstream(file(), std::ios::trunc) << torn;
  {
    const FileSizeLimit full(20);  // it cannot be written anew
    open();
  }
  expected = replay.configuration;
  {
    const FileSizeLimit full(torn.size() + 1);
    EXPECT_FALSE(journal->append(AddService{service("fwm/9")}));
  }
  EXPECT_EQ(read_file(file()), torn);
  run(AddService{service("fwm/10")});
  open();
  EXPECT_EQ(replay.configuration, expected);
}

TEST_F(JournalTest, a_first_start_on_a_full_disk_is_an_error) {
  const FileSizeLimit full(20);
  const auto opened = Journal::open(directory(), replay);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text, HasSubstr(directory().string()));
}

// Else limpetd would write an empty journal over it.
TEST_F(JournalTest, a_journal_that_cannot_be_read_is_an_error_and_not_an_empty_one) {
  std::filesystem::create_symlink("journal", file());  // ELOOP
  const auto opened = Journal::open(directory(), replay);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text, HasSubstr(file().string()));
  EXPECT_TRUE(std::filesystem::is_symlink(file()));
}

TEST_F(JournalTest, a_directory_in_the_journals_place_is_an_error) {
  std::filesystem::create_directory(file());
  const auto opened = Journal::open(directory(), replay);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text, HasSubstr(file().string()));
}

// The only copy of what could not be read must not be replaced.
TEST_F(DamagedJournalTest, a_damaged_journal_that_cannot_be_kept_aside_stays_where_it_is) {
  const std::string old = "{\"op\": \"add-dest@@@\n" + read_file(file());
  write_file(file(), old);
  std::filesystem::create_directory(damaged());
  open();
  EXPECT_THAT(replay.problems, ElementsAre(HasSubstr("line 1"), HasSubstr(damaged().string())));
  EXPECT_EQ(replay.configuration, expected);
  EXPECT_EQ(read_file(file()), old);
}

TEST_F(JournalTest, a_state_directory_that_is_a_file_is_an_error_naming_it) {
  const auto path = directory() / "state";
  write_file(path, "");
  const auto opened = Journal::open(path, replay);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text, HasSubstr(path.string()));
}

// A crash within the write of a group, at every byte of it.
TEST_F(JournalTest, of_a_group_that_was_not_written_whole_nothing_is_left) {
  open();
  run(AddService{service("fwm/10")});
  const auto before = std::filesystem::file_size(file());
  JournalGroup group;
  group.add(Flush{});
  group.add(AddService{service("fwm/11")});
  append(group);
  close();
  std::ifstream whole(file());
  const std::string text(std::istreambuf_iterator<char>(whole), {});
  for (auto length = before; length + 1 < text.size(); ++length) {
    std::ofstream(file()) << text.substr(0, length);
    open();
    ASSERT_EQ(replay.configuration, expected) << length;
  }
}

TEST_F(JournalTest, a_group_with_a_command_that_cannot_be_carried_out_is_left_out_as_a_whole) {
  open();
  run(AddService{service("fwm/10")});
  JournalGroup group;
  group.add(DeleteService{service_key("fwm/10")});
  group.add(DeleteService{service_key("fwm/10")});
  append(group);
  open();
  EXPECT_EQ(replay.problems.size(), 1u);
  EXPECT_EQ(replay.configuration, expected);
}

}  // namespace
}  // namespace limpet
