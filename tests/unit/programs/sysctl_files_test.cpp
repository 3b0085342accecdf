// SPDX-License-Identifier: Apache-2.0
// Lines about net.ipv4.vs.* in sysctl files, and which file's lines win.
#include "programs/sysctl_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/director/temporary_directory.h"

namespace limpet {
namespace {

using testing::ElementsAre;

std::vector<std::string> told(const std::vector<FileSetting>& settings) {
  std::vector<std::string> all;
  for (const FileSetting& each : settings)
    all.push_back((each.may_fail ? "-" : "") + each.setting.name + "=" + each.setting.value + " " + each.source);
  return all;
}

TEST(SysctlText, has_lines_with_dots_or_slashes_and_space_around_the_equals_sign) {
  EXPECT_THAT(told(read_sysctl_text("net.ipv4.vs.sloppy_tcp=1\n"
                                    "  net/ipv4/vs/conn_reuse_mode =  0\r\n"
                                    "net.ipv4.vs.sync_threshold = 3 50",
                                    "f")),
              ElementsAre("sloppy_tcp=1 f:1", "conn_reuse_mode=0 f:2", "sync_threshold=3 50 f:3"));
}

TEST(SysctlText, comments_other_settings_and_lines_without_a_value_are_left_out) {
  EXPECT_THAT(told(read_sysctl_text("# net.ipv4.vs.sloppy_tcp=1\n"
                                    "; net.ipv4.vs.sloppy_tcp=1\n"
                                    "\n"
                                    "net.ipv4.ip_forward=1\n"
                                    "-net.ipv4.vs.sloppy_tcp\n"
                                    "net.ipv4.vs=1\n"
                                    "=1\n"
                                    "\xff=\n",
                                    "f")),
              testing::IsEmpty());
}

TEST(SysctlText, a_minus_in_front_excuses_a_failure) {
  EXPECT_THAT(told(read_sysctl_text("-net.ipv4.vs.nonesuch = 1", "f")), ElementsAre("-nonesuch=1 f:1"));
}

class SysctlFiles : public testing::Test {
 protected:
  void file(const std::string& path, const std::string& text) {
    const auto whole = directory.path() / path;
    std::filesystem::create_directories(whole.parent_path());
    write_file(whole.string(), text);
  }
  std::vector<std::string> values() {
    std::vector<std::string> all;
    for (const FileSetting& each : read_sysctl_files(directory.path())) all.push_back(each.setting.value);
    return all;
  }

  TemporaryDirectory directory;
};

TEST_F(SysctlFiles, come_by_their_names_whatever_their_directory_and_sysctl_conf_is_the_last) {
  file("etc/sysctl.conf", "net.ipv4.vs.sloppy_tcp=5");
  file("etc/sysctl.d/30-c.conf", "net.ipv4.vs.sloppy_tcp=3");
  file("run/sysctl.d/20-b.conf", "net.ipv4.vs.sloppy_tcp=2");
  file("usr/lib/sysctl.d/10-a.conf", "net.ipv4.vs.sloppy_tcp=1");
  file("usr/local/lib/sysctl.d/40-d.conf", "net.ipv4.vs.sloppy_tcp=4");
  file("etc/sysctl.d/50-no.conf.dpkg-old", "net.ipv4.vs.sloppy_tcp=6");
  EXPECT_THAT(values(), ElementsAre("1", "2", "3", "4", "5"));
}

TEST_F(SysctlFiles, a_file_stands_for_those_of_its_name_in_later_directories) {
  file("usr/lib/sysctl.d/a.conf", "net.ipv4.vs.sloppy_tcp=1");
  file("run/sysctl.d/a.conf", "net.ipv4.vs.sloppy_tcp=2");
  EXPECT_THAT(values(), ElementsAre("2"));
  file("etc/sysctl.d/a.conf", "net.ipv4.vs.sloppy_tcp=3");
  EXPECT_THAT(values(), ElementsAre("3"));
}

TEST_F(SysctlFiles, a_link_to_dev_null_hides_a_file) {
  file("usr/lib/sysctl.d/a.conf", "net.ipv4.vs.sloppy_tcp=1");
  std::filesystem::create_directories(directory.path() / "etc/sysctl.d");
  std::filesystem::create_symlink("/dev/null", directory.path() / "etc/sysctl.d/a.conf");
  EXPECT_THAT(values(), testing::IsEmpty());
}

TEST_F(SysctlFiles, may_all_be_absent) { EXPECT_THAT(values(), testing::IsEmpty()); }

}  // namespace
}  // namespace limpet
