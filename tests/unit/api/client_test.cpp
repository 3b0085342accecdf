// SPDX-License-Identifier: Apache-2.0
// The typed client against the server.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "api/server.h"
#include "json/json.h"
#include "unit/api/api_fixture.h"

namespace limpet::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using ClientTest = ApiTest;

TEST_F(ClientTest, commands_reach_the_director_as_they_were) {
  start();
  auto connection = client();
  const std::vector<Command> commands = {AddService{http_service()},
                                         AddDestination{http_service().key, server_behind()},
                                         SetTimeouts{Timeouts{0, 5, 0}},
                                         SetTunables{{{"drop_entry", "3"}, {"nonesuch", "a b"}}},
                                         EditDestination{http_service().key, server_behind()},
                                         Zero{http_service().key},
                                         DeleteDestination{http_service().key, server_behind().key},
                                         EditService{http_service()},
                                         DeleteService{http_service().key},
                                         Flush{},
                                         Zero{}};
  for (const Command& command : commands) EXPECT_TRUE(connection.execute(command));
  const auto received = in_loop([this] { return director_.commands; });
  ASSERT_EQ(received.size(), commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    EXPECT_EQ(json_codec::command_to_json(received[i]), json_codec::command_to_json(commands[i]));
  }
}

TEST_F(ClientTest, every_error_of_the_director_comes_back_as_it_was) {
  std::atomic<int> code = 0;
  director_.on_execute = [&](const Command&) -> Result<void> {
    return Error{static_cast<ErrorCode>(code.load()), "because"};
  };
  start();
  auto connection = client();
  for (; code <= static_cast<int>(ErrorCode::internal); ++code) {
    const auto outcome = connection.execute(Flush{});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, static_cast<ErrorCode>(code.load()));
    EXPECT_EQ(outcome.error().text, "because");
  }
}

TEST_F(ClientTest, thousands_of_commands_go_over_one_connection) {
  director_.on_execute = [n = 0](const Command&) mutable -> Result<void> {
    return n++ % 2 == 0 ? Result<void>() : Error{ErrorCode::destination_exists, ""};
  };
  start();
  const std::vector<Command> commands(5000, AddDestination{http_service().key, server_behind()});
  const auto outcomes = client().execute_all(commands);
  ASSERT_TRUE(outcomes) << outcomes.error().text;
  ASSERT_EQ(outcomes->size(), commands.size());
  for (std::size_t i = 0; i < outcomes->size(); ++i) ASSERT_EQ(static_cast<bool>((*outcomes)[i]), i % 2 == 0);
}

TEST_F(ClientTest, a_transaction_is_carried_out_as_a_whole) {
  start();
  const std::vector<Command> commands(20000, AddDestination{http_service().key, server_behind()});
  const auto refusal = client().transact(commands);
  EXPECT_FALSE(refusal) << refusal->error.text;
  EXPECT_EQ(in_loop([this] { return director_.commands.size(); }), commands.size());
}

TEST_F(ClientTest, a_transaction_with_a_refused_command_names_it_and_does_nothing) {
  director_.on_execute = [n = 0](const Command&) mutable -> Result<void> {
    if (n++ == 1234) return Error{ErrorCode::destination_exists, "it is there"};
    return {};
  };
  start();
  const std::vector<Command> commands(5000, AddDestination{http_service().key, server_behind()});
  const auto refusal = client().transact(commands);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->error.code, ErrorCode::destination_exists);
  EXPECT_EQ(refusal->command, 1234u);
  EXPECT_TRUE(in_loop([this] { return director_.commands.empty(); }));
}

TEST_F(ClientTest, a_forecast_arrives_line_by_line_and_changes_nothing) {
  ServiceForesight service;
  service.service = http_service().key;
  service.before = service.after = http_service();
  service.targets = {server_behind().key};
  service.target_count = 1;
  service.taken_over = {{ServiceKey::of_mark(Mark{10}), 7}};
  ServerForesight server;
  server.server = server_behind().key;
  server.before = server_behind();
  server.connections = {1, 2, 3, 4, 5};
  server.clients = {6, 7, 8, 9};
  server.clients_last = 10;
  director_.foreseen.assign(5000, server);
  director_.foreseen.front() = service;
  start();
  std::vector<ForesightLine> lines;
  const auto refusal = client().what_if({Flush{}}, [&](const ForesightLine& line) {
    lines.push_back(line);
    return true;
  });
  EXPECT_FALSE(refusal) << refusal->error.text;
  ASSERT_EQ(lines.size(), 5000U);
  EXPECT_EQ(std::get<ServiceForesight>(lines.front()).taken_over, service.taken_over);
  EXPECT_EQ(std::get<ServiceForesight>(lines.front()).after, service.after);
  const auto& last = std::get<ServerForesight>(lines.back());
  EXPECT_EQ(last.before, server.before);
  EXPECT_FALSE(last.after);
  EXPECT_EQ(last.connections, server.connections);
  EXPECT_EQ(last.clients, server.clients);
  EXPECT_EQ(last.clients_last, 10U);
  EXPECT_TRUE(in_loop([this] { return director_.commands.empty(); }));
}

TEST_F(ClientTest, a_forecast_of_what_would_be_refused_names_the_command) {
  director_.on_execute = [n = 0](const Command&) mutable -> Result<void> {
    if (n++ == 2) return Error{ErrorCode::destination_exists, "it is there"};
    return {};
  };
  start();
  const auto nothing = [](const ForesightLine&) { return true; };
  const auto refusal = client().what_if({Flush{}, Flush{}, Flush{}, Flush{}}, nothing);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->error.code, ErrorCode::destination_exists);
  EXPECT_EQ(refusal->command, 2U);
  in_loop([this] { return director_.forecast_failure = Error{ErrorCode::no_space, "full"}, 0; });
  const auto whole = client().what_if({}, nothing);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->error.code, ErrorCode::no_space);
  EXPECT_FALSE(whole->command);
}

TEST_F(ClientTest, what_remains_is_counted_by_the_daemon) {
  director_.counted = {1, 2, 3, 4};
  start();
  SessionFilter filter;
  filter.server = ServerName::parse("10.0.0.1");
  const auto remaining = client().remaining(filter);
  ASSERT_TRUE(remaining) << remaining.error().text;
  EXPECT_EQ(*remaining, (Remaining{1, 2, 3, 4}));
  EXPECT_EQ(in_loop([this] { return director_.filters.back(); }), filter);
}

TEST_F(ClientTest, synchronisation_daemons_arrive) {
  director_.daemons = {{.role = SyncRole::backup, .interface = "eth1", .sync_id = 9}};
  start();
  const auto daemons = client().sync_daemons();
  ASSERT_TRUE(daemons) << daemons.error().text;
  EXPECT_EQ(*daemons, director_.daemons);
}

TEST_F(ClientTest, services_timeouts_and_status_arrive_whole) {
  ServiceView view{http_service(), {1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, {}};
  view.destinations.assign(3000, {server_behind(), 11, 12, 13, {14, 15, 16, 17, 18}, {}});
  director_.listed = std::vector<ServiceView>(3, view);
  director_.set_timeouts = {4, 5, 6};
  director_.shown.warnings = {"careful"};
  start();
  auto connection = client();
  const auto services = connection.services();
  ASSERT_TRUE(services) << services.error().text;
  ASSERT_EQ(services->size(), 3u);
  EXPECT_EQ(json_codec::service_view_to_json(services->back()), json_codec::service_view_to_json(view));
  const auto one = connection.service(view.service.key);
  ASSERT_TRUE(one) << one.error().text;
  EXPECT_EQ(one->destinations.size(), 3000u);
  EXPECT_EQ(connection.service(ServiceKey::of_mark(Mark{1})).error().code, ErrorCode::no_such_service);
  EXPECT_EQ(*connection.timeouts(), (Timeouts{4, 5, 6}));
  EXPECT_EQ(connection.status()->warnings, director_.shown.warnings);
}

TEST_F(ClientTest, an_ipv6_service_is_found_by_its_name) {
  director_.listed = std::vector<ServiceView>{{http_service("2001:db8::1"), {}, {}, {}}};
  start();
  EXPECT_TRUE(client().service(http_service("2001:db8::1").key));
}

TEST_F(ClientTest, connections_are_visited_in_order_and_may_be_left_early) {
  director_.connection_count = 10000;
  start();
  auto connection = client();
  std::uint32_t number = 0;
  const auto all = connection.connections([&](const ConnectionView& view) {
    return json_codec::connection_to_json(view) == json_codec::connection_to_json(numbered_connection(number++));
  });
  EXPECT_TRUE(all) << all.error().text;
  EXPECT_EQ(number, 10000u);
  int visited = 0;
  EXPECT_TRUE(connection.connections([&](const ConnectionView&) { return ++visited < 3; }));
  EXPECT_EQ(visited, 3);
  EXPECT_TRUE(connection.execute(Flush{}));  // over a new connection
}

TEST_F(ClientTest, filters_of_sessions_arrive_as_they_were) {
  director_.connection_count = 3000;
  start();
  const std::vector<SessionFilter> filters = {
      {},
      {Network::parse("10.1.0.0/16"), ServiceKey::parse("tcp/192.0.2.1:80"), ServerName::parse("198.51.100.7")},
      {Network::parse("10.1.0.1"), ServiceKey::of_mark(Mark{10}), ServerName::parse("198.51.100.7:80")},
      {Network::parse("2001:db8::/32"), ServiceKey::parse("udp/[2001:db8::1]:53"), ServerName::parse("2001:db8::2")}};
  auto connection = client();
  for (const SessionFilter& filter : filters) {
    std::uint32_t number = 0;
    const auto all = connection.sessions(filter, [&](const SessionView& view) {
      return json_codec::session_to_json(view) == json_codec::session_to_json(numbered_session(number++));
    });
    EXPECT_TRUE(all) << all.error().text;
    EXPECT_EQ(number, 3000u);
  }
  EXPECT_EQ(in_loop([this] { return director_.filters; }), filters);
}

TEST_F(ClientTest, a_question_and_its_explanation_arrive_whole) {
  Explanation explanation;
  explanation.rule = ExplainRule::persistence;
  explanation.service = ServiceKey::of_mark(Mark{10});
  explanation.scheduler = "rr";
  explanation.server = ChosenServer{server_behind().key, ForwardingMethod::masq, 0, WayToServer::local};
  explanation.expires = 5;
  explanation.network = "10.1.0.0/24";
  explanation.weight_0 = {server_behind().key};
  director_.explained = explanation;
  start();
  ExplainQuestion question{Protocol::udp, *Address::parse("10.1.0.1"), Port{7}, *Address::parse("192.0.2.1"), Port{53},
                           Mark{10}};
  const auto answer = client().explain(question);
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(json_codec::explanation_to_json(*answer), json_codec::explanation_to_json(explanation));
  const auto asked = in_loop([this] { return director_.questions.back(); });
  EXPECT_EQ(asked.protocol, question.protocol);
  EXPECT_EQ(asked.client, question.client);
  EXPECT_EQ(asked.client_port, question.client_port);
  EXPECT_EQ(asked.virtual_address, question.virtual_address);
  EXPECT_EQ(asked.virtual_port, question.virtual_port);
  EXPECT_EQ(asked.mark, question.mark);
  in_loop([this] {
    director_.explained = Error{ErrorCode::not_supported, "limpet cannot carry IPv6 yet"};
    return true;
  });
  EXPECT_EQ(client().explain(question).error().code, ErrorCode::not_supported);
}

TEST_F(ClientTest, a_listing_that_breaks_off_says_why) {
  director_.connection_count = 10000;
  director_.fail_at = 4096;
  start();
  int visited = 0;
  const auto outcome = client().connections([&](const ConnectionView&) { return ++visited > 0; });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().text, "the table went away");
  EXPECT_EQ(visited, 4096);
}

TEST_F(ClientTest, unload_is_passed_on) {
  start();
  EXPECT_TRUE(client().unload());
  EXPECT_EQ(in_loop([this] { return director_.unloads; }), 1);
}

TEST_F(ClientTest, an_idle_connection_that_the_daemon_closed_is_made_anew) {
  start({.idle_timeout = 50ms});
  auto connection = client();
  std::this_thread::sleep_for(200ms);
  const auto outcome = connection.execute(Flush{});
  EXPECT_TRUE(outcome) << outcome.error().text;
}

TEST_F(ClientTest, without_a_daemon_the_error_says_where_it_was_looked_for_and_what_to_do) {
  const auto absent = Client::connect(run_directory_);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::not_running);
  EXPECT_THAT(absent.error().text, HasSubstr(socket_path(run_directory_).native()));
  EXPECT_THAT(absent.error().text, HasSubstr("LIMPET_RUN_DIR"));
}

TEST_F(ClientTest, another_namespaces_daemon_is_refused_at_once) {
  start({.network_namespace = 1234567});
  const auto refused = Client::connect(run_directory_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::other_namespace);
}

TEST_F(ClientTest, a_daemon_that_ended_meanwhile_is_reported_as_not_running) {
  start();
  auto connection = client();
  stop();
  EXPECT_EQ(connection.execute(Flush{}).error().code, ErrorCode::not_running);
}

TEST_F(ClientTest, the_run_directory_comes_from_the_environment) {
  ::setenv("LIMPET_RUN_DIR", "/tmp/elsewhere", 1);
  EXPECT_EQ(default_run_directory(), "/tmp/elsewhere");
  ::unsetenv("LIMPET_RUN_DIR");
  EXPECT_EQ(default_run_directory(), "/run/limpet");
}

using ListenerTest = ApiTest;

TEST_F(ListenerTest, a_second_daemon_is_refused_and_the_first_goes_on) {
  start();
  const auto second = Listener::open(run_directory_, std::nullopt);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text, HasSubstr("another limpetd is serving " + run_directory_.native()));
  EXPECT_EQ(ask("GET", "/v1/version").status, 200);
}

TEST_F(ListenerTest, a_dead_daemons_socket_is_replaced) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket_path(run_directory_).native();
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  dead.reset();
  EXPECT_EQ(Client::connect(run_directory_).error().code, ErrorCode::not_running);
  start();
  EXPECT_EQ(ask("GET", "/v1/version").status, 200);
}

TEST_F(ListenerTest, only_owner_and_group_may_open_the_socket) {
  const auto listener = Listener::open(run_directory_, ::getegid());
  ASSERT_TRUE(listener) << listener.error().text;
  struct stat found {};
  ASSERT_EQ(::stat(socket_path(run_directory_).c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0660u);
  EXPECT_EQ(found.st_gid, ::getegid());
}

TEST_F(ListenerTest, a_run_directory_too_deep_for_a_socket_is_refused_in_plain_words) {
  const auto listener = Listener::open(run_directory_ / std::string(120, 'd'), std::nullopt);
  ASSERT_FALSE(listener);
  EXPECT_THAT(listener.error().text, HasSubstr("too long"));
}

}  // namespace
}  // namespace limpet::api
