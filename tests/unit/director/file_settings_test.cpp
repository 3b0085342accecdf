// SPDX-License-Identifier: Apache-2.0
// What files ask for is put in force when it is new, and only then.
#include "director/file_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/director/temporary_directory.h"

namespace limpet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

FileSetting line(const std::string& name, const std::string& value) { return {{name, value}, "a.conf:1", false}; }

class FileSettingsTest : public testing::Test {
 protected:
  std::vector<std::string> changed(const std::vector<FileSetting>& settings, bool all = false) {
    std::vector<std::string> told;
    for (const FileSetting& each : FileSettings(directory.path()).changed(settings, all))
      told.push_back(each.setting.name + "=" + each.setting.value);
    return told;
  }
  void remember(const std::vector<FileSetting>& settings) { FileSettings(directory.path()).remember(settings); }

  TemporaryDirectory directory;
};

TEST_F(FileSettingsTest, are_new_until_they_are_remembered) {
  const std::vector<FileSetting> settings = {line("sloppy_tcp", "1"), line("sync_threshold", "3 50")};
  EXPECT_THAT(changed(settings), ElementsAre("sloppy_tcp=1", "sync_threshold=3 50"));
  remember(settings);
  EXPECT_THAT(changed(settings), IsEmpty());
  EXPECT_THAT(changed(settings, true), ElementsAre("sloppy_tcp=1", "sync_threshold=3 50"));
}

TEST_F(FileSettingsTest, the_last_line_of_a_name_counts) {
  remember({line("sloppy_tcp", "0"), line("sloppy_tcp", "1")});
  EXPECT_THAT(changed({line("sloppy_tcp", "0"), line("sloppy_tcp", "1")}), IsEmpty());
  EXPECT_THAT(changed({line("sloppy_tcp", "1"), line("sloppy_tcp", "0")}), ElementsAre("sloppy_tcp=0"));
}

TEST_F(FileSettingsTest, a_line_that_has_gone_asks_for_nothing) {
  remember({line("sloppy_tcp", "1"), line("conn_reuse_mode", "0")});
  EXPECT_THAT(changed({line("conn_reuse_mode", "0")}), IsEmpty());
}

}  // namespace
}  // namespace limpet
