// SPDX-License-Identifier: Apache-2.0
// What recorded commands do not show: limpet's own refusals, a daemon that is not there, odd but legal command lines.
#include "ipvsadm/run.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "model/carried.h"
#include "unit/ipvsadm/fakes.h"

namespace limpet::ipvsadm {
namespace {

class TodaysDataPlane final : public FakeBackend {
 public:
  Result<void> change(Configuration& in, Command command) const override {
    auto after = in;
    if (auto done = FakeBackend::change(after, command); !done) return done;
    if (auto can = carried(command); !can) return can;
    in = after;
    return {};
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
  EXPECT_EQ(words(run_line(absent, "-v", "", "/sbin/ipvsadm").out)[1], "v1.31");
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
}

// Each is well-formed and would be taken by a kernel; the name of what is missing is the text's second part.
TEST(Run, each_feature_that_is_not_carried_is_refused_with_its_name) {
  TodaysDataPlane backend;
  ASSERT_EQ(run_line(backend, "-A -t 192.0.2.1:80").exit_code, 0);
  const std::map<std::string, std::string> refused = {
      {"-A -f 5 -6", "IPv6"},
      {"-A --sctp-service 192.0.2.1:80", "SCTP"},
      {"-A -t 192.0.2.1:81 -s none", "the scheduler none"},
      {"-A -u 192.0.2.1:81 -p --pe sip", "the persistence engine sip"},
      {"-E -t 192.0.2.1:80 -s none", "the scheduler none"},
      {"-a -t 192.0.2.1:80 -r 192.0.2.20 -i", "tunnels"},
      {"-a -t 192.0.2.1:80 -r 192.0.2.20 -i --tun-type gue --tun-port 6080", "tunnels"},
  };
  for (const auto& [line, name] : refused) {
    const auto outcome = run_line(backend, line);
    EXPECT_EQ(outcome.exit_code, 255) << line;
    EXPECT_EQ(outcome.err.substr(0, outcome.err.find(" yet")), "limpet cannot carry " + name) << line;
  }
}

TEST(Run, what_a_kernel_would_refuse_anyway_is_refused_in_its_words) {
  TodaysDataPlane backend;
  EXPECT_EQ(run_line(backend, "-E -t [2001:db8::1]:80").err, "No such service\n");
  EXPECT_EQ(run_line(backend, "-A -t [2001:db8::1]:80 -s nosuch").err, "Scheduler or persistence engine not found\n");
  EXPECT_EQ(run_line(backend, "-a -t 192.0.2.1:80 -r 192.0.2.20 -i").err, "Service not defined\n");
}

TEST(SyncDaemons, are_kept_with_all_their_options_and_listed) {
  TodaysDataPlane backend;
  EXPECT_EQ(run_line(backend, "-L --daemon").out, "");
  EXPECT_EQ(run_line(backend,
                     "--start-daemon backup --mcast-interface=lo --syncid 7 --mcast-group ff02::1:81 "
                     "--mcast-port 9000 --mcast-ttl 3")
                .exit_code,
            0);
  EXPECT_EQ(run_line(backend, "--start-daemon master --mcast-interface d0 --sync-maxlen 1000").exit_code, 0);
  EXPECT_EQ(run_line(backend, "-L --daemon").out,
            "master sync daemon (mcast=d0, syncid=0, maxlen=1000, group=224.0.0.81, port=8848, ttl=1)\n"
            "backup sync daemon (mcast=lo, syncid=7, maxlen=65487, group=ff02::1:81, port=9000, ttl=3)\n");
  EXPECT_EQ(run_line(backend, "--stop-daemon backup --syncid 9").exit_code, 0);
  EXPECT_EQ(run_line(backend, "--stop-daemon backup").err, "No daemon is running\n");
}

TEST(Limpetadm, orders_by_value_where_ipvsadm_wraps) {
  FakeBackend backend;
  for (const auto* line : {"-A -t 192.0.2.1:80", "-A -t 10.0.0.1:80", "-A -f 4294967295", "-A -f 1",
                           "-a -f 1 -r 192.0.2.20", "-a -f 1 -r 10.0.0.20"}) {
    ASSERT_EQ(run_line(backend, line).exit_code, 0);
  }
  EXPECT_EQ(run_line(backend, "-Sn", "", "limpetadm").out,
            "-A -t 10.0.0.1:80 -s wlc\n-A -t 192.0.2.1:80 -s wlc\n-A -f 1 -s wlc\n"
            "-a -f 1 -r 10.0.0.20:0 -g -w 1\n-a -f 1 -r 192.0.2.20:0 -g -w 1\n-A -f 4294967295 -s wlc\n");
  EXPECT_EQ(run_line(backend, "-Sn", "", "ipvsadm").out,
            "-A -f -1 -s wlc\n-A -t 192.0.2.1:80 -s wlc\n-A -t 10.0.0.1:80 -s wlc\n-A -f 1 -s wlc\n"
            "-a -f 1 -r 192.0.2.20:0 -g -w 1\n-a -f 1 -r 10.0.0.20:0 -g -w 1\n");
  EXPECT_NE(run_line(backend, "-Ln", "", "limpetadm").out.find("\nFWM  4294967295 wlc\n"), std::string::npos);
  EXPECT_NE(run_line(backend, "-Ln", "", "ipvsadm").out.find("\nFWM  -1 wlc\n"), std::string::npos);
}

TEST(Limpetadm, saves_thresholds_where_ipvsadm_loses_them) {
  FakeBackend backend;
  run_line(backend, "-A -t 192.0.2.1:80");
  run_line(backend, "-a -t 192.0.2.1:80 -r 192.0.2.20 -m -x 100 -y 5");
  EXPECT_NE(run_line(backend, "-Sn", "", "limpetadm").out.find(" -m -w 1 -x 100 -y 5\n"), std::string::npos);
  EXPECT_NE(run_line(backend, "-Sn", "", "ipvsadm").out.find(" -m -w 1\n"), std::string::npos);
}

TEST(Limpetadm, skips_comments_where_ipvsadm_ends_a_restore) {
  FakeBackend backend;
  const auto* rules = "# mine\n-A -t 192.0.2.1:80\n  #-A -t 192.0.2.1:81\n";
  EXPECT_EQ(run_line(backend, "-R", rules, "limpetadm").exit_code, 0);
  EXPECT_EQ(backend.configuration.services().size(), 1u);
  EXPECT_EQ(run_line(backend, "-R", rules, "ipvsadm").exit_code, 255);
}

TEST(Names, ipvsadm_save_is_dash_s) {
  FakeBackend backend;
  run_line(backend, "-A -t 192.0.2.1:80");
  EXPECT_EQ(run_line(backend, "-n", "", "/sbin/ipvsadm-save").out, "-A -t 192.0.2.1:80 -s wlc\n");
  EXPECT_EQ(run_line(backend, "", "", "/sbin/ipvsadm-save").out, "-A -t www.example.net:http -s wlc\n");
  const auto unknown = run_line(backend, "-x", "", "ipvsadm-save");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_EQ(unknown.out, "");
}

TEST(Names, ipvsadm_restore_clears_the_table_and_leaves_comments_out) {
  FakeBackend backend;
  run_line(backend, "-A -t 192.0.2.1:80");
  const auto outcome = run_line(backend, "", "# saved\n-A -t 192.0.2.2:80\n#\n", "ipvsadm-restore");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(run_line(backend, "-Sn").out, "-A -t 192.0.2.2:80 -s wlc\n");
  EXPECT_EQ(run_line(backend, "", " # not at the line's beginning\n", "ipvsadm-restore").exit_code, 255);
  EXPECT_EQ(run_line(backend, "-Sn").out, "");
}

TEST(Names, only_limpetadm_has_an_atomic_restore) {
  FakeBackend backend;
  EXPECT_EQ(run_line(backend, "-R --atomic", "-A -f 1\n", "limpetadm").exit_code, 0);
  EXPECT_EQ(run_line(backend, "-R --atomic", "", "ipvsadm").err, "--atomic: unknown option\n");
  EXPECT_EQ(run_line(backend, "-L --atomic", "", "limpetadm").err, "Illegal 'atomic' option with the 'list' command\n");
}

TEST(AtomicRestore, names_the_bad_line_and_leaves_the_table_as_it_was) {
  FakeBackend backend;
  run_line(backend, "-A -t 192.0.2.1:80");
  const auto before = backend.configuration;
  const auto restore = [&](const std::string& rules) { return run_line(backend, "-R --atomic", rules, "limpetadm"); };

  const auto mistaken = restore("# a comment\n-C\n\n-A -t 192.0.2.2:80 -s rr -w 1\n");
  EXPECT_EQ(mistaken.err,
            "line 4: -A -t 192.0.2.2:80 -s rr -w 1: Illegal 'weight' option with the 'add-service' command\n");
  EXPECT_EQ(mistaken.exit_code, 2);
  EXPECT_TRUE(backend.configuration == before);

  const auto refused = restore("-C\n-A -t 192.0.2.2:80\n-A -t 192.0.2.2:80\n-A -f 1\n");
  EXPECT_EQ(refused.err, "line 3: -A -t 192.0.2.2:80: Service already exists\n");
  EXPECT_EQ(refused.exit_code, 255);
  EXPECT_TRUE(backend.configuration == before);

  EXPECT_EQ(restore("-A -f 1\n-L -n\n").err,
            "line 2: -L -n: only commands that change the table can be restored atomically\n");
  EXPECT_TRUE(backend.configuration == before);

  EXPECT_EQ(restore("-C\n-A -f 1\n").exit_code, 0);
  EXPECT_EQ(run_line(backend, "-Sn").out, "-A -f 1 -s wlc\n");
}

TEST(Restore, drops_the_word_ipvsadm_and_keeps_the_status_over_empty_lines) {
  FakeBackend backend;
  const auto outcome = run_line(backend, "-R", "ipvsadm -A -t 192.0.2.1:80\r\n-Z --foo\n\nipvsadm\n");
  EXPECT_EQ(outcome.err, "--foo: unknown option\n");
  EXPECT_EQ(outcome.exit_code, 255);
  EXPECT_EQ(backend.configuration.services().size(), 1u);
}

TEST(Restore, says_what_went_wrong_in_the_order_of_the_lines) {
  FakeBackend backend;
  const auto outcome = run_line(backend, "-R", "-A -f 1\n-A -f 1\n--foo\n-A -f 2\n", "limpetadm");
  EXPECT_EQ(outcome.err, "Service already exists\nTry `limpetadm -h' or 'limpetadm --help' for more information.\n");
  EXPECT_EQ(outcome.exit_code, 255);
  EXPECT_EQ(run_line(backend, "-R", "-A -f 3\n-L -n\n-A -f 4\n").out.find("FWM  4"), std::string::npos);
}

TEST(Restore, sends_a_long_table_in_batches) {
  class Counting final : public FakeBackend {
   public:
    Result<std::vector<Result<void>>> execute_all(const std::vector<Command>& commands) override {
      ++batches;
      return FakeBackend::execute_all(commands);
    }
    int batches = 0;
  };
  Counting backend;
  std::string rules;
  for (int mark = 1; mark <= 5000; ++mark) rules += "-A -f " + std::to_string(mark) + "\n";
  EXPECT_EQ(run_line(backend, "-R", rules).exit_code, 0);
  EXPECT_EQ(backend.configuration.services().size(), 5000u);
  EXPECT_EQ(backend.batches, 3);
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
