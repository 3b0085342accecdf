// SPDX-License-Identifier: Apache-2.0
// The record of changed kernel settings, as far as it needs no privilege.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "network/netlink_types.h"
#include "network/sysctl.h"

namespace limpet::network {
namespace {

class SysctlRecord : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string file() const { return directory_ / "sysctls"; }
  void holds(const std::string& text) const { std::ofstream(file()) << text; }

 private:
  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("limpet-network-" + std::to_string(::getpid()));
};

TEST_F(SysctlRecord, without_a_file_nothing_is_recorded) {
  const auto sysctls = Sysctls::open(file());
  ASSERT_TRUE(sysctls);
  EXPECT_TRUE(sysctls->recorded().empty());
}

TEST_F(SysctlRecord, a_setting_of_an_interface_that_has_gone_is_forgotten) {
  holds("limpet sysctls 1\nnet/ipv4/conf/gone.100/forwarding\t0\t1\t0\n");
  auto sysctls = Sysctls::open(file());
  ASSERT_TRUE(sysctls);
  EXPECT_EQ(sysctls->recorded(), std::vector<std::string>{"net/ipv4/conf/gone.100/forwarding"});
  EXPECT_TRUE(sysctls->restore_all());
  EXPECT_TRUE(Sysctls::open(file()).value().recorded().empty());
}

TEST_F(SysctlRecord, a_file_that_is_no_record_is_refused) {
  for (const char* text : {"", "something else\n", "limpet sysctls 1\nno tabs\n", "limpet sysctls 1\n../x\t0\t1\t\n"}) {
    holds(text);
    EXPECT_FALSE(Sysctls::open(file())) << text;
  }
}

TEST_F(SysctlRecord, a_setting_that_does_not_exist_is_an_error_and_not_recorded) {
  auto sysctls = Sysctls::open(file()).value();
  EXPECT_FALSE(sysctls.set("net/ipv4/conf/gone/forwarding", "1"));
  EXPECT_TRUE(sysctls.recorded().empty());
}

TEST(Sysctl, a_path_does_not_lead_out_of_proc_sys) {
  EXPECT_FALSE(read_sysctl("../version"));
  EXPECT_FALSE(read_sysctl("/etc/hostname"));
  EXPECT_TRUE(read_sysctl("kernel/ostype"));
}

TEST(Prefix, contains_what_its_bits_say) {
  const Prefix prefix{*Address::parse("192.0.2.128"), 25};
  EXPECT_TRUE(prefix.contains(*Address::parse("192.0.2.200")));
  EXPECT_FALSE(prefix.contains(*Address::parse("192.0.2.1")));
  EXPECT_FALSE(prefix.contains(*Address::parse("::1")));
  const Prefix everything{*Address::parse("0.0.0.0"), 0};
  EXPECT_TRUE(everything.contains(*Address::parse("192.0.2.1")));
}

}  // namespace
}  // namespace limpet::network
