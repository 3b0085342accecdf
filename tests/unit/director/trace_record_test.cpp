// SPDX-License-Identifier: Apache-2.0
// The record of qdiscs survives a kill.
#include "director/trace_record.h"

#include <gmock/gmock.h>

#include "unit/director/file_size_limit.h"
#include "unit/director/temporary_directory.h"

namespace limpet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(QdiscRecord, what_was_added_is_known_to_the_next_limpetd) {
  const TemporaryDirectory run;
  {
    QdiscRecord record(run.path());
    record.add("eth1");
    record.add("bond0.100");
    record.add("eth1");
  }
  const QdiscRecord next(run.path());
  EXPECT_THAT(next.interfaces(), ElementsAre("bond0.100", "eth1"));
  EXPECT_TRUE(next.contains("eth1"));
  EXPECT_FALSE(next.contains("eth0"));
}

TEST(QdiscRecord, what_was_removed_is_forgotten) {
  const TemporaryDirectory run;
  QdiscRecord record(run.path());
  record.add("eth0");
  record.add("eth1");
  record.remove("eth0");
  record.remove("eth7");
  EXPECT_THAT(QdiscRecord(run.path()).interfaces(), ElementsAre("eth1"));
}

TEST(QdiscRecord, leaves_no_file_behind_when_nothing_is_left) {
  const TemporaryDirectory run;
  QdiscRecord record(run.path());
  record.add("eth0");
  record.remove("eth0");
  EXPECT_TRUE(std::filesystem::is_empty(run.path()));
}

TEST(QdiscRecord, is_empty_without_a_run_directory) {
  const TemporaryDirectory run;
  EXPECT_THAT(QdiscRecord(run.path() / "nothing" / "here").interfaces(), IsEmpty());
}

TEST(QdiscRecord, that_cannot_be_written_keeps_the_former_one) {
  const TemporaryDirectory run;
  QdiscRecord record(run.path());
  record.add("eth0");
  {
    const FileSizeLimit full(3);
    record.add("eth1");
  }
  EXPECT_THAT(QdiscRecord(run.path()).interfaces(), ElementsAre("eth0"));
  EXPECT_TRUE(record.contains("eth1")) << "this limpetd still knows";
}

TEST(SysctlRecord, has_a_file_of_its_own_in_the_run_directory) {
  EXPECT_EQ(sysctl_record("/run/limpet"), std::filesystem::path("/run/limpet/sysctls"));
}

}  // namespace
}  // namespace limpet
