// SPDX-License-Identifier: Apache-2.0
// The snapshot's file: written beside everything else, replaced only by a whole one.
#include "director/template_snapshot.h"

#include <thread>

#include <gmock/gmock.h>

#include "unit/director/file_size_limit.h"
#include "unit/director/template_records.h"

namespace limpet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class TemplateSnapshotTest : public testing::Test {
 private:
  TemporaryDirectory temporary_;

 protected:
  // Every other piece is empty, as where all of a table's entries have expired.
  static TemplateSnapshot::Source source_of(std::vector<TemplateRecord> all) {
    using Piece = std::optional<std::vector<TemplateRecord>>;
    return [all = std::move(all), at = std::size_t{0}, empty = false](std::size_t limit) mutable -> Piece {
      if (at == all.size()) return std::nullopt;
      empty = !empty;
      const std::size_t count = empty ? 0 : std::min(limit, all.size() - at);
      const auto from = all.begin() + static_cast<std::ptrdiff_t>(at);
      at += count;
      return std::vector<TemplateRecord>(from, from + static_cast<std::ptrdiff_t>(count));
    };
  }
  // Steps until it is done, or fails.
  Result<void> finish() {
    for (;;) {
      const auto done = snapshot->step(1ms);
      if (!done || !snapshot->is_busy()) return done;
    }
  }
  std::vector<TemplateRecord> stored() {
    std::vector<TemplateRecord> all;
    const TemplateSnapshot reader(directory());
    const auto damage = reader.read(std::chrono::system_clock::now(), [&](std::span<const TemplateRecord> block) {
      all.insert(all.end(), block.begin(), block.end());
    });
    EXPECT_TRUE(damage && !damage->any());
    return all;
  }
  std::filesystem::path directory() const { return temporary_.path(); }
  std::filesystem::path file() const { return directory() / "templates"; }
  std::filesystem::path fresh() const { return directory() / "templates.new"; }

  std::optional<TemplateSnapshot> snapshot{std::in_place, directory()};
};

TEST_F(TemplateSnapshotTest, without_a_snapshot_there_is_nothing_and_nothing_is_damaged) {
  EXPECT_TRUE(stored().empty());
}

TEST_F(TemplateSnapshotTest, what_is_written_in_pieces_is_read) {
  const auto all = records(5000);
  ASSERT_TRUE(snapshot->begin(source_of(all)));
  EXPECT_TRUE(snapshot->is_busy());
  EXPECT_FALSE(std::filesystem::exists(file())) << "not before it is whole";
  ASSERT_TRUE(finish());
  EXPECT_EQ(stored().size(), all.size());
  EXPECT_FALSE(std::filesystem::exists(fresh()));
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(TemplateSnapshotTest, a_step_does_a_piece_of_the_work_only) {
  ASSERT_TRUE(snapshot->begin(source_of(records(20000))));
  int steps = 0;
  while (snapshot->is_busy()) {
    ASSERT_TRUE(snapshot->step(1us));
    ++steps;
  }
  EXPECT_GE(steps, 20000 / 2048);
}

TEST_F(TemplateSnapshotTest, the_former_one_stays_until_the_next_is_whole) {
  ASSERT_TRUE(snapshot->write_all(source_of(records(10))));
  ASSERT_TRUE(snapshot->begin(source_of(records(20000))));
  ASSERT_TRUE(snapshot->step(1us));
  EXPECT_EQ(stored().size(), 10U);
  snapshot.reset();  // limpetd ends
  EXPECT_EQ(stored().size(), 10U);
  EXPECT_FALSE(std::filesystem::exists(fresh()));
}

TEST_F(TemplateSnapshotTest, what_a_killed_limpetd_has_begun_is_in_nobodys_way) {
  write_file(fresh(), "LMPTTMPL and not much more");
  ASSERT_TRUE(snapshot->begin(source_of(records(3))));
  ASSERT_TRUE(finish());
  EXPECT_EQ(stored().size(), 3U);
}

TEST_F(TemplateSnapshotTest, at_the_end_a_begun_one_is_written_anew_and_whole) {
  ASSERT_TRUE(snapshot->begin(source_of(records(20000))));
  ASSERT_TRUE(snapshot->step(1us));
  ASSERT_TRUE(snapshot->write_all(source_of(records(7))));
  EXPECT_FALSE(snapshot->is_busy());
  EXPECT_EQ(stored().size(), 7U);
}

TEST_F(TemplateSnapshotTest, at_the_end_one_that_is_on_its_way_to_the_disk_is_waited_for) {
  ASSERT_TRUE(snapshot->begin(source_of(records(5))));
  ASSERT_TRUE(snapshot->step(1s));
  ASSERT_TRUE(snapshot->write_all(source_of(records(7))));
  EXPECT_EQ(stored().size(), 7U);
}

TEST_F(TemplateSnapshotTest, a_full_disk_leaves_the_former_one_and_it_goes_on_once_there_is_room) {
  ASSERT_TRUE(snapshot->write_all(source_of(records(10))));
  {
    const FileSizeLimit full(1000);
    ASSERT_TRUE(snapshot->begin(source_of(records(5000))));
    const auto done = finish();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text, HasSubstr(fresh().string()));
    EXPECT_FALSE(snapshot->is_busy());
    EXPECT_FALSE(std::filesystem::exists(fresh())) << "it would keep the disk full";
  }
  EXPECT_EQ(stored().size(), 10U);
  ASSERT_TRUE(snapshot->begin(source_of(records(5000))));
  ASSERT_TRUE(finish());
  EXPECT_EQ(stored().size(), 5000U);
}

TEST_F(TemplateSnapshotTest, a_directory_that_is_gone_is_an_error_naming_the_file) {
  TemplateSnapshot elsewhere(directory() / "gone");
  const auto begun = elsewhere.begin(source_of({}));
  ASSERT_FALSE(begun);
  EXPECT_THAT(begun.error().text, HasSubstr("gone/templates.new"));
  EXPECT_FALSE(elsewhere.is_busy());
}

TEST_F(TemplateSnapshotTest, a_snapshot_that_cannot_be_opened_is_an_error) {
  std::filesystem::create_symlink("templates", file());  // ELOOP
  const auto read = snapshot->read(kNoon, [](auto) {});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().text, HasSubstr(file().string()));
}

}  // namespace
}  // namespace limpet
