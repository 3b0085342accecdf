// SPDX-License-Identifier: Apache-2.0
// Every endpoint over a real socket: what reaches the director and what the client is answered.
#include <gmock/gmock.h>

#include "api/namespace_header.h"
#include "api/server.h"
#include "unit/api/api_fixture.h"

namespace limpet::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Endpoints : public ApiTest {
 protected:
  // The one command the director was given since the last call.
  template <class T>
  T only_command() {
    const auto commands = in_loop([this] { return std::exchange(director_.commands, {}); });
    EXPECT_EQ(commands.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<T>(commands.front()));
    return std::get<T>(commands.front());
  }
};

TEST_F(Endpoints, version_and_status_are_told) {
  director_.shown = {"1.2.3", 4, 5, {{"eth0", "xdp", "native"}}, {{"flows4", 6, 7}}, 8, 9, {"careful"}};
  start();
  EXPECT_EQ(ask("GET", "/v1/version").json(), json({{"version", "1.2.3"}, {"abi", 4}, {"api", "v1"}}));
  const json status = ask("GET", "/v1/status").json();
  EXPECT_EQ(status["doors"][0]["door"], "xdp");
  EXPECT_EQ(status["tables"][0]["ceiling"], 7);
  EXPECT_EQ(status["sweep_pass_ms"], 8);
  EXPECT_EQ(status["sweep_lag_ms"], 9);
  EXPECT_EQ(status["warnings"][0], "careful");
}

TEST_F(Endpoints, services_are_added_edited_deleted_and_flushed) {
  start();
  EXPECT_EQ(ask("POST", "/v1/services", R"({"key":"tcp/192.0.2.1:80","scheduler":"rr"})").status, 201);
  EXPECT_EQ(only_command<AddService>().service.scheduler, "rr");
  EXPECT_EQ(ask("PUT", "/v1/services/tcp%2F192.0.2.1:80", R"({"scheduler":"sh"})").status, 204);
  EXPECT_EQ(only_command<EditService>().service.key.to_string(), "tcp/192.0.2.1:80");
  EXPECT_EQ(ask("DELETE", "/v1/services/fwm6/10").status, 204);
  EXPECT_EQ(only_command<DeleteService>().key, ServiceKey::of_mark(Mark{10}, Family::ipv6));
  EXPECT_EQ(ask("DELETE", "/v1/services").status, 204);
  only_command<Flush>();
}

TEST_F(Endpoints, destinations_are_added_edited_and_deleted) {
  start();
  EXPECT_EQ(ask("POST", "/v1/services/udp/[2001:db8::1]:53/destinations", R"({"key":"[2001:db8::2]:53"})").status, 201);
  EXPECT_EQ(only_command<AddDestination>().service.to_string(), "udp/[2001:db8::1]:53");
  EXPECT_EQ(ask("PUT", "/v1/services/tcp%2F192.0.2.1%3A80/destinations/10.0.0.1:80", R"({"weight":7})").status, 204);
  const auto edit = only_command<EditDestination>();
  EXPECT_EQ(edit.destination.key.to_string(), "10.0.0.1:80");
  EXPECT_EQ(edit.destination.weight, 7u);
  EXPECT_EQ(ask("DELETE", "/v1/services/fwm/3/destinations/10.0.0.1:0").status, 204);
  EXPECT_EQ(only_command<DeleteDestination>().destination.to_string(), "10.0.0.1:0");
}

TEST_F(Endpoints, a_put_may_repeat_the_key_but_not_contradict_it) {
  start();
  EXPECT_EQ(ask("PUT", "/v1/services/fwm/3", R"({"key":"fwm/3"})").status, 204);
  const Response other = ask("PUT", "/v1/services/fwm/3", R"({"key":"fwm/4"})");
  EXPECT_EQ(other.status, 400);
  EXPECT_THAT(other.detail(), HasSubstr("\"key\" must be \"fwm/3\""));
  EXPECT_EQ(ask("PUT", "/v1/services/fwm/3/destinations/10.0.0.1:80", R"({"key":"10.0.0.2:80"})").status, 400);
}

TEST_F(Endpoints, services_are_listed_and_shown_one_by_one) {
  ServiceView first{http_service("192.0.2.1"), {1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, {}};
  first.destinations = {{server_behind("198.51.100.1"), 1, 2, 3, {}, {}},
                        {server_behind("198.51.100.2"), 4, 5, 6, {}, {}}};
  director_.listed = std::vector<ServiceView>{first, {http_service("192.0.2.2"), {}, {}, {}}};
  start();
  const json list = ask("GET", "/v1/services").json();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["destinations"][1]["inactive"], 5);
  EXPECT_EQ(list[1]["destinations"], json::array());
  const Response one = ask("GET", "/v1/services/tcp/192.0.2.1:80");
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.json(), list[0]);
  EXPECT_EQ(ask("GET", "/v1/services/tcp/192.0.2.9:80").code(), "no-such-service");
}

TEST_F(Endpoints, without_services_the_list_is_empty) {
  start();
  EXPECT_EQ(ask("GET", "/v1/services").body, "[]");
}

TEST_F(Endpoints, timeouts_are_shown_and_set) {
  director_.set_timeouts = {1, 2, 3};
  start();
  EXPECT_EQ(ask("GET", "/v1/timeouts").json(), json({{"tcp", 1}, {"tcp_fin", 2}, {"udp", 3}}));
  EXPECT_EQ(ask("PUT", "/v1/timeouts", R"({"udp":9})").status, 204);
  EXPECT_EQ(only_command<SetTimeouts>().timeouts, (Timeouts{0, 0, 9}));
}

TEST_F(Endpoints, tunables_are_shown_and_set) {
  director_.set_tunables[tunable("sloppy_tcp")] = 7;
  start();
  const auto all = ask("GET", "/v1/tunables").json();
  EXPECT_EQ(all["sloppy_tcp"], 7);
  EXPECT_EQ(all["sync_threshold"], "3\t50");
  EXPECT_EQ(ask("PUT", "/v1/tunables", R"({"conn_reuse_mode":0,"sync_threshold":"3 50"})").status, 204);
  EXPECT_EQ(only_command<SetTunables>().settings,
            (std::vector<Setting>{{"conn_reuse_mode", "0"}, {"sync_threshold", "3 50"}}));
  for (const auto* wrong : {"[]", "1", R"({"sloppy_tcp":true})", R"({"sloppy_tcp":1.5})", R"({"sloppy_tcp":[1]})"})
    EXPECT_EQ(ask("PUT", "/v1/tunables", wrong).status, 400) << wrong;
}

TEST_F(Endpoints, zero_takes_a_service_or_none) {
  start();
  EXPECT_EQ(ask("POST", "/v1/zero").status, 204);
  EXPECT_FALSE(only_command<Zero>().service);
  EXPECT_EQ(ask("POST", "/v1/zero", R"({"service":"fwm/3"})").status, 204);
  EXPECT_EQ(only_command<Zero>().service, ServiceKey::of_mark(Mark{3}));
  EXPECT_EQ(ask("POST", "/v1/zero", R"({"servcie":"fwm/3"})").status, 400);
}

TEST_F(Endpoints, connections_come_as_lines) {
  director_.connection_count = 5000;
  start();
  const Response response = ask("GET", "/v1/connections");
  EXPECT_EQ(response.content_type, "application/x-ndjson");
  EXPECT_EQ(std::count(response.body.begin(), response.body.end(), '\n'), 5000);
}

TEST_F(Endpoints, sessions_come_as_lines_and_are_narrowed_by_the_director) {
  director_.connection_count = 5000;
  start();
  const Response response =
      ask("GET", "/v1/sessions?client=10.1.2.3%2F16&service=tcp%2F192.0.2.1:80&server=198.51.100.7:8080");
  EXPECT_EQ(response.content_type, "application/x-ndjson");
  EXPECT_EQ(std::count(response.body.begin(), response.body.end(), '\n'), 5000);
  const json first = json::parse(response.body.substr(0, response.body.find('\n')));
  EXPECT_EQ(first["service"], "tcp/192.0.2.1:80");
  EXPECT_EQ(first["connection"]["destination"], "198.51.100.7:8080");
  const auto filter = in_loop([this] { return director_.filters.back(); });
  EXPECT_EQ(filter.client->to_string(), "10.1.0.0/16");
  EXPECT_EQ(filter.service->to_string(), "tcp/192.0.2.1:80");
  EXPECT_EQ(filter.server->to_string(), "198.51.100.7:8080");
  EXPECT_EQ(ask("GET", "/v1/sessions").status, 200);
  EXPECT_EQ(in_loop([this] { return director_.filters.back(); }), SessionFilter{});
}

TEST_F(Endpoints, explain_takes_a_client_a_target_and_a_mark) {
  Explanation explanation;
  explanation.rule = ExplainRule::scheduler;
  explanation.server = ChosenServer{server_behind().key, ForwardingMethod::masq, 3, WayToServer::unresolved};
  director_.explained = explanation;
  start();
  const json answer = ask("GET", "/v1/explain?client=10.1.0.1&virtual=192.0.2.1:53&protocol=udp&mark=10").json();
  EXPECT_EQ(answer["outcome"], "forwarded");
  EXPECT_EQ(answer["rule"], "scheduler");
  EXPECT_EQ(answer["server"],
            json({{"key", "198.51.100.7:80"}, {"method", "masq"}, {"weight", 3}, {"way", "unresolved"}}));
  const auto question = in_loop([this] { return director_.questions.back(); });
  EXPECT_EQ(question.protocol, Protocol::udp);
  EXPECT_EQ(question.client.to_string(), "10.1.0.1");
  EXPECT_EQ(question.client_port, Port{0});
  EXPECT_EQ(question.virtual_port, Port{53});
  EXPECT_EQ(question.mark, Mark{10});
  EXPECT_EQ(ask("GET", "/v1/explain?client=10.1.0.1:7&virtual=192.0.2.1:80").status, 200);
  EXPECT_EQ(in_loop([this] { return director_.questions.back(); }).client_port, Port{7});
}

TEST_F(Endpoints, a_query_that_makes_no_sense_is_refused_by_its_name) {
  start();
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"/v1/sessions?client=me", "client=me is not an address"},
      {"/v1/sessions?service=192.0.2.1:80", "service=192.0.2.1:80 is not a service"},
      {"/v1/sessions?server=10.0.0.1:http", "server=10.0.0.1:http is not a real server"},
      {"/v1/sessions?clinet=10.1.0.1", "\"clinet\" is not known"},
      {"/v1/sessions?client=10.1.0.1&client=10.1.0.2", "\"client\" twice"},
      {"/v1/sessions?client=%zz", "percent sign"},
      {"/v1/sessions?=", "\"\" is not known"},
      {"/v1/explain", "lacks \"client\""},
      {"/v1/explain?client=10.1.0.1", "lacks \"virtual\""},
      {"/v1/explain?client=10.1.0.1&virtual=192.0.2.1", "virtual=192.0.2.1 is not"},
      {"/v1/explain?client=10.1.0.1&virtual=192.0.2.1:80&protocol=sctp", "protocol=sctp is not"},
      {"/v1/explain?client=10.1.0.1&virtual=192.0.2.1:80&mark=ten", "mark=ten is not"},
      {"/v1/connections?client=10.1.0.1", "takes no query"},
      {"/v1/services?", "takes no query"},
  };
  for (const auto& [target, text] : wrong) {
    const Response response = ask("GET", target);
    EXPECT_EQ(response.status, 400) << target;
    EXPECT_EQ(response.code(), "bad-request") << target;
    EXPECT_THAT(response.detail(), HasSubstr(text)) << target;
  }
}

TEST_F(Endpoints, what_the_director_cannot_explain_is_its_error) {
  director_.explained = Error{ErrorCode::not_supported, "limpet cannot carry IPv6 yet"};
  start();
  const Response response = ask("GET", "/v1/explain?client=2001:db8::2&virtual=[2001:db8::1]:80");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.code(), "not-supported");
}

TEST_F(Endpoints, many_commands_run_in_order_and_each_has_its_outcome) {
  director_.on_execute = [](const Command& command) -> Result<void> {
    if (std::holds_alternative<DeleteService>(command)) return Error{ErrorCode::no_such_service, "not there"};
    return {};
  };
  start();
  const json outcomes =
      ask("POST", "/v1/commands",
          R"([{"op":"flush"},{"op":"delete-service","service":"fwm/1"},{"op":"dance"},{"op":"flush"}])")
          .json();
  ASSERT_EQ(outcomes.size(), 4u);
  EXPECT_TRUE(outcomes[0].is_null());
  EXPECT_EQ(outcomes[1]["code"], "no-such-service");
  EXPECT_EQ(outcomes[2]["code"], "bad-request");
  EXPECT_TRUE(outcomes[3].is_null());
  EXPECT_EQ(in_loop([this] { return director_.commands.size(); }), 3u);
  EXPECT_EQ(ask("POST", "/v1/commands", "[]").body, "[]");
  EXPECT_EQ(ask("POST", "/v1/commands", "{}").status, 400);
}

TEST_F(Endpoints, unload_answers_before_the_daemon_is_told) {
  std::promise<void> told;
  start({.after_unload = [&] { told.set_value(); }});
  EXPECT_EQ(ask("POST", "/v1/unload").status, 204);
  EXPECT_EQ(told.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_EQ(in_loop([this] { return director_.unloads; }), 1);
}

TEST_F(Endpoints, a_failed_unload_does_not_end_the_daemon) {
  bool told = false;
  director_.unload_result = Error{ErrorCode::permission, "not root"};
  start({.after_unload = [&] { told = true; }});
  EXPECT_EQ(ask("POST", "/v1/unload").status, 403);
  stop();
  EXPECT_FALSE(told);
}

TEST_F(Endpoints, every_error_has_its_status_and_code) {
  const std::vector<std::tuple<ErrorCode, int, std::string>> expected = {
      {ErrorCode::service_exists, 409, "service-exists"},
      {ErrorCode::no_such_service, 404, "no-such-service"},
      {ErrorCode::service_not_defined, 404, "service-not-defined"},
      {ErrorCode::destination_exists, 409, "destination-exists"},
      {ErrorCode::no_such_destination, 404, "no-such-destination"},
      {ErrorCode::scheduler_not_found, 422, "scheduler-not-found"},
      {ErrorCode::invalid, 422, "invalid"},
      {ErrorCode::out_of_range, 422, "out-of-range"},
      {ErrorCode::family_not_supported, 422, "family-not-supported"},
      {ErrorCode::not_supported, 422, "not-supported"},
      {ErrorCode::no_space, 507, "no-space"},
      {ErrorCode::permission, 403, "permission"},
      {ErrorCode::bad_request, 400, "bad-request"},
      {ErrorCode::internal, 500, "internal"},
  };
  std::atomic<ErrorCode> code;
  director_.on_execute = [&](const Command&) -> Result<void> { return Error{code, "because"}; };
  start();
  for (const auto& [error, status, name] : expected) {
    code = error;
    const Response response = ask("DELETE", "/v1/services");
    EXPECT_EQ(response.status, status) << name;
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(response.json()["status"], status);
    EXPECT_EQ(response.code(), name);
    EXPECT_EQ(response.detail(), "because");
    EXPECT_EQ(response.json()["type"], "about:blank");
  }
}

TEST_F(Endpoints, unknown_paths_and_methods_are_refused_in_plain_words) {
  start();
  EXPECT_EQ(ask("GET", "/").status, 404);
  EXPECT_EQ(ask("GET", "/v1/services/tcp/192.0.2.1:80/").status, 404);
  EXPECT_EQ(ask("GET", "/v1/services?all").status, 400);
  EXPECT_EQ(ask("GET", "/v1/services/%zz").status, 400);
  EXPECT_EQ(ask("GET", "/v1/services/tcp/nonsense").status, 400);
  EXPECT_EQ(ask("DELETE", "/v1/services/fwm/1/destinations/nonsense").status, 400);
  const Response wrong_method = ask("PATCH", "/v1/services");
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_EQ(wrong_method.allow, "GET, POST, DELETE");
  EXPECT_EQ(wrong_method.code(), "bad-request");
}

TEST_F(Endpoints, a_director_that_throws_costs_the_client_a_500_and_no_more) {
  director_.on_execute = [](const Command&) -> Result<void> { throw std::runtime_error("out of luck"); };
  start();
  EXPECT_EQ(ask("DELETE", "/v1/services").status, 500);
  EXPECT_EQ(ask("GET", "/v1/version").status, 200);
}

TEST_F(Endpoints, changes_need_the_callers_network_namespace_and_reading_does_not) {
  start({.network_namespace = 77});
  EXPECT_EQ(ask("GET", "/v1/services", "", std::nullopt).status, 200);
  const Response missing = ask("DELETE", "/v1/services", "", std::nullopt);
  EXPECT_EQ(missing.status, 400);
  EXPECT_THAT(missing.detail(), HasSubstr(kNamespaceHeader));
  EXPECT_EQ(ask("DELETE", "/v1/services", "", "77").status, 204);
  for (const char* cookie : {"78", "077", "77 7", "-1", "x"}) {
    const Response other = ask("DELETE", "/v1/services", "", cookie);
    EXPECT_EQ(other.status, 421) << cookie;
    EXPECT_EQ(other.code(), "other-namespace");
  }
  EXPECT_EQ(ask("GET", "/v1/services", "", "78").status, 421);
  EXPECT_EQ(in_loop([this] { return director_.commands.size(); }), 1u);
}

}  // namespace
}  // namespace limpet::api
