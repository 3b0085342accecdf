// SPDX-License-Identifier: Apache-2.0
// What recorded commands do not show: limpet's own refusals, a daemon that is not there, odd but legal command lines.
#include "ipvsadm/run.h"

#include <gtest/gtest.h>

#include "model/carried.h"
#include "unit/ipvsadm/fakes.h"

namespace limpet::ipvsadm {
namespace {

class AbsentDaemon final : public Backend {
 public:
  Result<void> execute(const Command&) override { return error_; }
  Result<std::vector<ServiceView>> services() override { return error_; }
  Result<ServiceView> service(const ServiceKey&) override { return error_; }
  Result<Timeouts> timeouts() override { return error_; }
  Result<void> connections(const std::function<bool(const ConnectionView&)>&) override { return error_; }

 private:
  Error error_{ErrorCode::not_running, "nobody listens on /run/limpet/api.sock"};
};

class TodaysDataPlane final : public FakeBackend {
 public:
  Result<void> execute(const Command& command) override {
    if (auto can = carried(command); !can) return can;
    return FakeBackend::execute(command);
  }
};

TEST(Run, without_a_daemon_every_command_says_so_and_exits_with_2) {
  AbsentDaemon absent;
  for (const auto* line :
       {"", "-Ln", "-Lnc", "-L --timeout", "-L -t 192.0.2.1:80", "-Sn", "-C", "-Z", "-A -t 192.0.2.1:80"}) {
    const auto outcome = run_line(absent, line);
    EXPECT_EQ(outcome.exit_code, 2) << line;
    EXPECT_EQ(outcome.out, "") << line;
    EXPECT_EQ(outcome.err, "Can't reach limpetd: nobody listens on /run/limpet/api.sock\n") << line;
  }
}

TEST(Run, a_restore_without_a_daemon_says_so_once) {
  AbsentDaemon absent;
  const auto outcome = run_line(absent, "-R", "-C\n-A -t 192.0.2.1:80\n");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err, "Can't reach limpetd: nobody listens on /run/limpet/api.sock\n");
}

TEST(Run, help_version_and_mistakes_need_no_daemon) {
  AbsentDaemon absent;
  EXPECT_EQ(run_line(absent, "-v", "", "/usr/sbin/limpetadm").out, "limpetadm v0.1.0 (IPVS v1.2.1 semantics)\n");
  const auto help = run_line(absent, "-h", "", "/usr/sbin/ipvsadm");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.out.find("  ipvsadm --set tcp tcpfin udp\n"), std::string::npos);
  EXPECT_EQ(run_line(absent, "-A").exit_code, 2);
  EXPECT_EQ(run_line(absent, "-x", "", "/usr/sbin/limpetadm").err,
            "Try `limpetadm -h' or 'limpetadm --help' for more information.\n");
}

TEST(Run, what_the_data_plane_cannot_carry_is_refused_by_name) {
  TodaysDataPlane backend;
  const auto outcome = run_line(backend, "-A -t [2001:db8::1]:80 -s rr");
  EXPECT_EQ(outcome.exit_code, 255);
  EXPECT_EQ(outcome.err, "limpet cannot carry IPv6 yet: tcp/[2001:db8::1]:80\n");
  const auto daemon = run_line(backend, "--start-daemon master");
  EXPECT_EQ(daemon.exit_code, 255);
  EXPECT_EQ(daemon.err, "limpet cannot carry connection synchronisation yet: --start-daemon\n");
}

TEST(Run, sync_daemons_are_never_there) {
  FakeBackend backend;
  EXPECT_EQ(run_line(backend, "-L --daemon").out, "");
  const auto stopped = run_line(backend, "--stop-daemon master");
  EXPECT_EQ(stopped.exit_code, 255);
  EXPECT_EQ(stopped.err, "No daemon is running\n");
}

TEST(Restore, drops_the_word_ipvsadm_and_keeps_the_status_over_empty_lines) {
  FakeBackend backend;
  const auto outcome = run_line(backend, "-R", "ipvsadm -A -t 192.0.2.1:80\r\n-Z --foo\n\nipvsadm\n");
  EXPECT_EQ(outcome.err, "--foo: unknown option\n");
  EXPECT_EQ(outcome.exit_code, 255);
  EXPECT_EQ(backend.configuration.services().size(), 1u);
}

TEST(Restore, ends_at_a_mistake_but_not_at_a_refusal) {
  FakeBackend backend;
  EXPECT_EQ(run_line(backend, "-R", "-D -t 192.0.2.1:80\n-A -t 192.0.2.1:80\n").exit_code, 0);
  EXPECT_EQ(run_line(backend, "-R", "-A -t x\n-C\n").exit_code, 2);
  EXPECT_EQ(backend.configuration.services().size(), 1u);
  EXPECT_EQ(run_line(backend, "-R", "-R\n-C\n").exit_code, 255);
  EXPECT_EQ(run_line(backend, "-R", "-v\n-C\n").exit_code, 0);
  EXPECT_EQ(backend.configuration.services().size(), 1u);
}

}  // namespace
}  // namespace limpet::ipvsadm
