// SPDX-License-Identifier: Apache-2.0
// limpetd's configuration file and command line: what they set, which of them wins, and what errors name.
#include "programs/limpetd_options.h"

#include <regex>
#include <sstream>

#include <gmock/gmock.h>

#include "unit/director/temporary_directory.h"

namespace limpet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class LimpetdOptionsTest : public testing::Test {
 protected:
  std::string file() const { return (directory_.path() / "limpetd.toml").string(); }

  // `text` is the configuration file; `words` follow on the command line.
  Result<DaemonOptions> read(const std::string& text, std::vector<std::string> words = {}) {
    write_file(file(), text);
    words.insert(words.begin(), {"limpetd", "--config", file()});
    return read_line(words);
  }
  static Result<DaemonOptions> read_line(const std::vector<std::string>& words) {
    std::vector<const char*> argv;
    for (const std::string& word : words) argv.push_back(word.c_str());
    return read_daemon_options(static_cast<int>(argv.size()), argv.data());
  }
  DaemonOptions options(const std::string& text, const std::vector<std::string>& words = {}) {
    const auto result = read(text, words);
    if (!result) {
      ADD_FAILURE() << result.error().text;
      return {};
    }
    EXPECT_EQ(result->exit_code, std::nullopt);
    return *result;
  }
  // The error must begin "FILE:LINE: " and name the key.
  void expect_error(const std::string& text, int line, const std::string& key) {
    const auto result = read(text);
    ASSERT_FALSE(result) << text;
    EXPECT_THAT(result.error().text, testing::StartsWith(file() + ":" + std::to_string(line) + ": ")) << text;
    EXPECT_THAT(result.error().text, HasSubstr("`" + key + "`")) << text;
    EXPECT_EQ(result.error().code, ErrorCode::bad_request);
  }
  // Ends with this code and has said so on stderr, naming `option`.
  void expect_usage_error(const std::vector<std::string>& words, const std::string& option) {
    testing::internal::CaptureStderr();
    const auto result = read("", words);
    const std::string said = testing::internal::GetCapturedStderr();
    ASSERT_TRUE(result);
    EXPECT_EQ(result->exit_code, 2);
    EXPECT_THAT(said, HasSubstr(option));
  }

 private:
  TemporaryDirectory directory_;
};

TEST_F(LimpetdOptionsTest, settings_are_a_table_of_numbers_that_the_kernel_would_take) {
  const auto settings = options("[sysctl]\nsloppy_tcp = 1\nsync_threshold = \"3 50\"\n").director.settings;
  ASSERT_EQ(settings.size(), 2u);
  EXPECT_EQ(settings[0].setting, (Setting{"sloppy_tcp", "1"}));
  EXPECT_EQ(settings[1].setting, (Setting{"sync_threshold", "3 50"}));
  EXPECT_EQ(settings[1].source, file() + ":3");
  expect_error("sysctl = 1\n", 1, "sysctl");
  expect_error("[sysctl]\nsloppy_tcp = true\n", 2, "sloppy_tcp");
  for (const auto* wrong : {"nonesuch = 1", "sloppy_tcp = 2147483648", "conntrack = 1"}) {
    const auto result = read("[sysctl]\n" + std::string(wrong) + "\n");
    ASSERT_FALSE(result) << wrong;
    EXPECT_THAT(result.error().text, testing::StartsWith(file() + ":2: net.ipv4.vs.")) << wrong;
  }
}

TEST_F(LimpetdOptionsTest, an_empty_file_leaves_the_defaults) {
  const DaemonOptions o = options("");
  EXPECT_EQ(o.director.run_directory, "/run/limpet");
  EXPECT_EQ(o.director.state_directory, "/var/lib/limpet");
  EXPECT_EQ(o.director.door, DoorChoice::automatic);
  EXPECT_THAT(o.director.interfaces, IsEmpty());
  EXPECT_FALSE(o.director.first_packets_netfilter);
  EXPECT_EQ(o.director.ceilings.services, 65536u);
  EXPECT_EQ(o.director.ceilings.destinations, 131072u);
  EXPECT_EQ(o.director.ceilings.flows, 1048576u);
  EXPECT_EQ(o.director.ceilings.templates, 1048576u);
  EXPECT_EQ(o.log_level, spdlog::level::info);
  EXPECT_EQ(o.director.maglev_key_file, "");
}

constexpr const char* kFull = R"(
run-dir = "/run/elsewhere"
state-dir = "/srv/limpet state"
door = "tc"
interfaces = ["eth0", "eth1"]
first-packets = "netfilter"
log-level = "debug"
[maglev]
key-file = "/etc/limpet/key"
[tables]
services = 10
destinations = 20
flows = 30
templates = 40
)";

TEST_F(LimpetdOptionsTest, every_key_of_the_file_takes_effect) {
  const DaemonOptions o = options(kFull);
  EXPECT_EQ(o.director.maglev_key_file, "/etc/limpet/key");
  EXPECT_EQ(o.director.run_directory, "/run/elsewhere");
  EXPECT_EQ(o.director.state_directory, "/srv/limpet state");
  EXPECT_EQ(o.director.door, DoorChoice::tc);
  EXPECT_THAT(o.director.interfaces, ElementsAre("eth0", "eth1"));
  EXPECT_TRUE(o.director.first_packets_netfilter);
  EXPECT_EQ(o.director.ceilings.services, 10u);
  EXPECT_EQ(o.director.ceilings.destinations, 20u);
  EXPECT_EQ(o.director.ceilings.flows, 30u);
  EXPECT_EQ(o.director.ceilings.templates, 40u);
  EXPECT_EQ(o.log_level, spdlog::level::debug);
}

TEST_F(LimpetdOptionsTest, the_command_line_wins_over_the_file) {
  const DaemonOptions o = options(kFull, {"--run-dir", "/run/a b", "--state-dir", "/srv/c", "--door", "xdp",
                                          "--interface", "eth7", "--max-services", "11", "--max-destinations", "21",
                                          "--max-flows", "31", "--max-templates", "41", "--log-level", "error"});
  EXPECT_EQ(o.director.run_directory, "/run/a b");
  EXPECT_EQ(o.director.state_directory, "/srv/c");
  EXPECT_EQ(o.director.door, DoorChoice::xdp);
  EXPECT_THAT(o.director.interfaces, ElementsAre("eth7"));
  EXPECT_EQ(o.director.ceilings.services, 11u);
  EXPECT_EQ(o.director.ceilings.destinations, 21u);
  EXPECT_EQ(o.director.ceilings.flows, 31u);
  EXPECT_EQ(o.director.ceilings.templates, 41u);
  EXPECT_EQ(o.log_level, spdlog::level::err);
}

TEST_F(LimpetdOptionsTest, the_command_line_leaves_what_it_does_not_name_to_the_file) {
  const DaemonOptions o = options(kFull, {"--max-flows", "31"});
  EXPECT_EQ(o.director.ceilings.flows, 31u);
  EXPECT_EQ(o.director.ceilings.templates, 40u);
  EXPECT_EQ(o.director.door, DoorChoice::tc);
  EXPECT_TRUE(o.director.first_packets_netfilter);
}

TEST_F(LimpetdOptionsTest, the_command_line_can_go_back_to_a_default) {
  EXPECT_EQ(options(kFull, {"--door", "auto"}).director.door, DoorChoice::automatic);
  EXPECT_EQ(options(kFull, {"--log-level", "info"}).log_level, spdlog::level::info);
}

TEST_F(LimpetdOptionsTest, a_single_interface_may_have_a_door_of_its_own) {
  const std::string file = "door = \"tc\"\n[doors]\neth0 = \"xdp\"\n\"eth0.10\" = \"auto\"\n";
  const DaemonOptions from_file = options(file);
  EXPECT_EQ(from_file.director.door, DoorChoice::tc);
  EXPECT_THAT(from_file.director.doors,
              UnorderedElementsAre(std::pair{"eth0", DoorChoice::xdp}, std::pair{"eth0.10", DoorChoice::automatic}));

  const DaemonOptions both = options(file, {"--door", "eth0=tc", "--door", "auto", "--door", "eth1=xdp"});
  EXPECT_EQ(both.director.door, DoorChoice::automatic);
  EXPECT_THAT(both.director.doors,
              UnorderedElementsAre(std::pair{"eth0", DoorChoice::tc}, std::pair{"eth0.10", DoorChoice::automatic},
                                   std::pair{"eth1", DoorChoice::xdp}));
}

TEST_F(LimpetdOptionsTest, interfaces_and_first_packets_can_be_given_on_the_command_line) {
  const DaemonOptions o = options("", {"--interface", "eth0", "--interface", "eth1", "--first-packets-netfilter"});
  EXPECT_THAT(o.director.interfaces, ElementsAre("eth0", "eth1"));
  EXPECT_TRUE(o.director.first_packets_netfilter);
}

TEST_F(LimpetdOptionsTest, unknown_keys_are_named_with_their_line) {
  expect_error("door = \"tc\"\ninterface = [\"eth0\"]\n", 2, "interface");
  expect_error("# tables\n[tables]\nflows = 30\nconnections = 30\n", 4, "connections");
}

TEST_F(LimpetdOptionsTest, values_of_the_wrong_type_are_named_with_their_line) {
  expect_error("run-dir = 5\n", 1, "run-dir");
  expect_error("\nstate-dir = [\"/srv\"]\n", 2, "state-dir");
  expect_error("door = true\n", 1, "door");
  expect_error("doors = \"tc\"\n", 1, "doors");
  expect_error("[doors]\neth0 = \"fast\"\n", 2, "eth0");
  expect_error("first-packets = false\n", 1, "first-packets");
  expect_error("log-level = 3\n", 1, "log-level");
  expect_error("interfaces = \"eth0\"\n", 1, "interfaces");
  expect_error("interfaces = [\n  \"eth0\",\n  7,\n]\n", 3, "interfaces");
  expect_error("tables = 1000\n", 1, "tables");
  expect_error("[tables]\nflows = \"1000\"\n", 2, "flows");
  expect_error("[tables]\nservices = 10.5\n", 2, "services");
}

TEST_F(LimpetdOptionsTest, words_that_mean_nothing_are_named_with_their_line) {
  for (const char* value : {"\"both\"", "\"XDP\"", "\"\""}) {
    expect_error("door = " + std::string(value) + "\n", 1, "door");
    expect_error("first-packets = " + std::string(value) + "\n", 1, "first-packets");
    expect_error("log-level = " + std::string(value) + "\n", 1, "log-level");
  }
}

TEST_F(LimpetdOptionsTest, every_log_level_of_the_command_line_can_be_in_the_file) {
  for (const char* level : {"trace", "debug", "info", "warning", "error"})
    EXPECT_EQ(options("log-level = \"" + std::string(level) + "\"\n").log_level,
              options("", {"--log-level", level}).log_level);
}

TEST_F(LimpetdOptionsTest, ceilings_end_where_the_tables_format_ends) {
  expect_error("[tables]\nservices = 1\n", 2, "services");
  expect_error("[tables]\nservices = 1048577\n", 2, "services");
  expect_error("[tables]\ndestinations = -5\n", 2, "destinations");
  expect_error("[tables]\ndestinations = 1048577\n", 2, "destinations");
  expect_error("[tables]\nservices = 10\nflows = 16777216\n", 3, "flows");
  expect_error("[tables]\ntemplates = 4294967298\n", 2, "templates");
  const DaemonOptions o = options("[tables]\nservices = 1048576\ndestinations = 2\nflows = 16777215\n");
  EXPECT_EQ(o.director.ceilings.services, 1048576u);
  EXPECT_EQ(o.director.ceilings.destinations, 2u);
  EXPECT_EQ(o.director.ceilings.flows, 16777215u);
}

TEST_F(LimpetdOptionsTest, what_is_no_toml_is_reported_with_its_line) {
  const auto result = read("door = \"tc\"\nstate-dir = /srv\n");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().text, testing::StartsWith(file() + ":2: "));
}

// packaging/limpetd.toml has every key as a comment, with its default.
TEST_F(LimpetdOptionsTest, the_file_that_is_shipped_states_the_defaults_and_every_key) {
  const auto shipped = read_file(std::filesystem::path(__FILE__).parent_path() / "../../../packaging/limpetd.toml");
  ASSERT_NE(shipped, "");
  options(shipped);
  const std::regex key("# (\\[(?:tables|maglev)\\]|[a-z-]+ = .*)");
  std::string uncommented;
  std::istringstream lines(shipped);
  int keys = 0;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, key)) continue;
    uncommented += match.str(1) + "\n";
    ++keys;
  }
  EXPECT_EQ(keys, 13) << "11 keys, [maglev] and [tables]";
  const DaemonOptions stated = options(uncommented);
  const DaemonOptions defaults = options("");
  EXPECT_EQ(stated.director.run_directory, defaults.director.run_directory);
  EXPECT_EQ(stated.director.state_directory, defaults.director.state_directory);
  EXPECT_EQ(stated.director.door, defaults.director.door);
  EXPECT_EQ(stated.director.interfaces, defaults.director.interfaces);
  EXPECT_EQ(stated.director.first_packets_netfilter, defaults.director.first_packets_netfilter);
  EXPECT_EQ(stated.director.ceilings.services, defaults.director.ceilings.services);
  EXPECT_EQ(stated.director.ceilings.destinations, defaults.director.ceilings.destinations);
  EXPECT_EQ(stated.director.ceilings.flows, defaults.director.ceilings.flows);
  EXPECT_EQ(stated.director.ceilings.templates, defaults.director.ceilings.templates);
  EXPECT_EQ(stated.log_level, defaults.log_level);
}

TEST_F(LimpetdOptionsTest, a_configuration_file_that_was_asked_for_must_be_there) {
  const auto result = read_line({"limpetd", "--config", file()});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, "cannot read the configuration " + file() + ": No such file or directory");
}

TEST_F(LimpetdOptionsTest, a_directory_is_no_configuration_file) {
  const auto result = read_line({"limpetd", "--config", "/"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, "cannot read the configuration /: Is a directory");
}

TEST_F(LimpetdOptionsTest, options_that_make_no_sense_end_with_2_and_are_named) {
  expect_usage_error({"--door", "both"}, "--door");
  expect_usage_error({"--door", "1"}, "--door");
  expect_usage_error({"--door", "eth0=fast"}, "eth0=fast");
  expect_usage_error({"--door", "=tc"}, "=tc");
  expect_usage_error({"--max-flows", "1"}, "--max-flows");
  expect_usage_error({"--max-flows", "16777216"}, "--max-flows");
  expect_usage_error({"--max-services", "many"}, "--max-services");
  expect_usage_error({"--log-level", "loud"}, "--log-level");
  expect_usage_error({"--run-dir"}, "--run-dir");
  expect_usage_error({"--no-such-option"}, "--no-such-option");
  expect_usage_error({"eth0"}, "eth0");
}

TEST_F(LimpetdOptionsTest, help_and_version_are_answered_with_0) {
  for (const char* word : {"--help", "-h", "--version"}) {
    testing::internal::CaptureStdout();
    const auto result = read_line({"limpetd", word});
    const std::string said = testing::internal::GetCapturedStdout();
    ASSERT_TRUE(result);
    EXPECT_EQ(result->exit_code, 0);
    EXPECT_THAT(said, HasSubstr("limpetd")) << word;
  }
}

TEST_F(LimpetdOptionsTest, help_names_every_option) {
  testing::internal::CaptureStdout();
  ASSERT_TRUE(read_line({"limpetd", "--help"}));
  const std::string said = testing::internal::GetCapturedStdout();
  for (const char* option :
       {"--config", "--run-dir", "--state-dir", "--door", "--interface", "--first-packets-netfilter", "--max-services",
        "--max-destinations", "--max-flows", "--max-templates", "--log-level"})
    EXPECT_THAT(said, HasSubstr(option));
}

}  // namespace
}  // namespace limpet
