// SPDX-License-Identifier: Apache-2.0
// Kernel settings that are changed, and put back by another process.
#include "network/sysctl.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "namespace.h"

namespace limpet::network {
namespace {

using test::Namespace;
using test::run;

const std::string kForwarding = "net/ipv4/conf/eth0.100/forwarding";

class Settings : public testing::Test {
 protected:
  Settings() { run("ip link add eth0.100 type veth peer name eth1"); }
  ~Settings() override { std::filesystem::remove_all(directory_); }

  Sysctls opened() { return Sysctls::open(directory_ + "/sysctls").value(); }
  static std::string value() { return read_sysctl(kForwarding).value(); }

  void set_by_a_process_that_is_killed() {
    const pid_t child = ::fork();
    if (child == 0) {
      auto sysctls = opened();
      if (sysctls.set(kForwarding, "1")) ::kill(::getpid(), SIGKILL);
      ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

 private:
  const Namespace namespace_;
  std::string directory_ = [] {
    std::string name = std::filesystem::temp_directory_path() / "limpet-network-XXXXXX";
    return std::string(::mkdtemp(name.data()));
  }();
};

TEST_F(Settings, what_a_killed_process_changed_is_put_back_by_another) {
  set_by_a_process_that_is_killed();
  EXPECT_EQ(value(), "1");
  EXPECT_TRUE(opened().restore_all());
  EXPECT_EQ(value(), "0");
  EXPECT_TRUE(opened().recorded().empty());
}

TEST_F(Settings, a_second_process_keeps_the_first_original) {
  set_by_a_process_that_is_killed();
  auto sysctls = opened();
  EXPECT_TRUE(sysctls.set(kForwarding, "1"));
  EXPECT_TRUE(sysctls.restore_one(kForwarding));
  EXPECT_EQ(value(), "0");
}

TEST_F(Settings, a_setting_that_is_right_already_is_not_ours_to_put_back) {
  run("echo 1 > /proc/sys/" + kForwarding);
  auto sysctls = opened();
  EXPECT_TRUE(sysctls.set(kForwarding, "1"));
  EXPECT_TRUE(sysctls.recorded().empty());
  EXPECT_TRUE(sysctls.restore_all());
  EXPECT_EQ(value(), "1");
}

TEST_F(Settings, what_someone_else_changed_since_stays) {
  const std::string filter = "net/ipv4/conf/eth0.100/rp_filter";
  auto sysctls = opened();
  ASSERT_TRUE(sysctls.set(filter, "2"));
  run("echo 1 > /proc/sys/" + filter);
  EXPECT_TRUE(sysctls.restore_all());
  EXPECT_EQ(read_sysctl(filter).value(), "1");
  EXPECT_TRUE(sysctls.recorded().empty());
}

TEST_F(Settings, forwarding_switched_on_for_the_whole_host_since_stays) {
  auto sysctls = opened();
  ASSERT_TRUE(sysctls.set(kForwarding, "1"));
  run("echo 1 > /proc/sys/net/ipv4/ip_forward");
  EXPECT_TRUE(sysctls.restore_all());
  EXPECT_EQ(value(), "1");
}

TEST_F(Settings, the_setting_of_an_interface_that_went_is_forgotten) {
  auto sysctls = opened();
  ASSERT_TRUE(sysctls.set(kForwarding, "1"));
  run("ip link del eth0.100");
  EXPECT_TRUE(sysctls.restore_all());
  EXPECT_TRUE(sysctls.recorded().empty());
}

}  // namespace
}  // namespace limpet::network
