// SPDX-License-Identifier: Apache-2.0
// The settings net.ipv4.vs.*: what the kernel takes (recorded with Linux 6.1) and what it refuses.
#include "model/tunables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace limpet {
namespace {

ErrorCode refusal(const std::string& name, const std::string& value) {
  const auto checked = check({name, value});
  EXPECT_FALSE(checked) << name << "=" << value;
  if (checked) return ErrorCode::internal;
  EXPECT_THAT(checked.error().text, testing::StartsWith("net.ipv4.vs." + name + ": "));
  return checked.error().code;
}

std::string after(const std::string& name, const std::string& value) {
  const auto checked = check({name, value});
  if (!checked) return checked.error().text;
  Tunables tunables;
  apply({name, value}, tunables);
  return std::to_string(tunables[*tunable_index(name)]);
}

TEST(Tunables, begin_with_the_kernels_defaults) {
  for (const Setting& setting : all_settings({})) EXPECT_TRUE(check(setting)) << setting.name;
  EXPECT_EQ(Tunables()[tunable("conn_reuse_mode")], 1);
  EXPECT_EQ(Tunables()[tunable("expire_nodest_conn")], 0);
  EXPECT_THAT(changed_settings({}), testing::IsEmpty());
}

TEST(Tunables, a_plain_one_takes_any_number_of_32_bits) {
  for (const auto* value : {"-1", "0", "1", "2", "4", "2147483647", "-2147483648"})
    EXPECT_EQ(after("conn_reuse_mode", value), value);
  for (const auto* value : {"2147483648", "-2147483649", "4294967296", "99999999999999999999"})
    EXPECT_EQ(refusal("conn_reuse_mode", value), ErrorCode::invalid);
}

TEST(Tunables, numbers_are_read_as_the_kernel_reads_them) {
  EXPECT_EQ(after("sloppy_tcp", "0x10"), "16");
  EXPECT_EQ(after("sloppy_tcp", "010"), "8");
  EXPECT_EQ(after("sloppy_tcp", " 1 "), "1");
  for (const auto* value : {"", " ", "-", "abc", "1.5", "+1", "1x", "0x", "08", "--1"})
    EXPECT_EQ(refusal("sloppy_tcp", value), ErrorCode::invalid);
}

TEST(Tunables, a_time_to_remember_is_a_second_at_least) {
  EXPECT_EQ(after("lblc_expiration", "1"), "1");
  EXPECT_EQ(after("lblcr_expiration", "8589934"), "8589934");
  for (const auto* value : {"0", "-1", "8589935"}) EXPECT_EQ(refusal("lblc_expiration", value), ErrorCode::invalid);
}

TEST(Tunables, one_that_means_nothing_here_takes_its_default_only) {
  EXPECT_TRUE(check({"conntrack", "0"}));
  EXPECT_TRUE(check({"sync_threshold", " 3  50\n"}));
  EXPECT_EQ(refusal("conntrack", "1"), ErrorCode::not_supported);
  EXPECT_EQ(refusal("sync_threshold", "3 60"), ErrorCode::not_supported);
  EXPECT_EQ(refusal("schedule_icmp", "1"), ErrorCode::not_supported);
}

TEST(Tunables, an_unknown_name_is_named) {
  EXPECT_EQ(refusal("nonesuch", "0"), ErrorCode::no_such_setting);
  EXPECT_EQ(refusal("", "0"), ErrorCode::no_such_setting);
}

TEST(Tunables, those_that_were_changed_are_told_apart) {
  Tunables tunables;
  tunables[tunable("sloppy_tcp")] = 1;
  EXPECT_EQ(changed_settings(tunables), (std::vector<Setting>{{"sloppy_tcp", "1"}}));
  EXPECT_THAT(all_settings(tunables), testing::Contains(Setting{"sloppy_tcp", "1"}));
  EXPECT_THAT(all_settings(tunables), testing::Contains(Setting{"sync_threshold", "3\t50"}));
}

}  // namespace
}  // namespace limpet
