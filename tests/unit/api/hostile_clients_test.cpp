// SPDX-License-Identifier: Apache-2.0
// Nothing a client sends, or fails to send or to read, crashes or blocks the daemon.
#include <random>
#include <vector>

#include <gmock/gmock.h>

#include "api/body_sources.h"
#include "api/namespace_header.h"
#include "api/routes.h"
#include "api/server.h"
#include "unit/api/api_fixture.h"

namespace limpet::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class HostileClients : public ApiTest {
 protected:
  void expect_still_serving() { EXPECT_EQ(ask("GET", "/v1/version").status, 200); }
};

TEST_F(HostileClients, garbage_is_answered_with_a_400_and_a_close) {
  start();
  RawClient client(run_directory_);
  client.send("\x16\x03\x01 this is no HTTP\r\n\r\n");
  const Response response = client.read();
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.code(), "bad-request");
  EXPECT_TRUE(client.is_closed());
  expect_still_serving();
}

TEST_F(HostileClients, random_bytes_do_no_harm) {
  start();
  std::mt19937 engine(7);
  for (int round = 0; round < 200; ++round) {
    std::string noise = round % 2 == 0 ? "" : "POST /v1/commands HTTP/1.1\r\n";
    for (std::size_t length = engine() % 400; length > 0; --length) noise += static_cast<char>(engine());
    RawClient client(run_directory_);
    client.send(noise);
  }
  expect_still_serving();
}

TEST_F(HostileClients, half_a_request_is_waited_for_only_so_long) {
  start({.idle_timeout = 100ms});
  RawClient in_header(run_directory_);
  in_header.send("POST /v1/services HT");
  RawClient in_body(run_directory_);
  in_body.send("POST /v1/services HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  RawClient silent(run_directory_);
  expect_still_serving();
  EXPECT_TRUE(in_header.is_closed());
  EXPECT_TRUE(in_body.is_closed());
  EXPECT_TRUE(silent.is_closed());
  EXPECT_EQ(in_loop([this] { return director_.commands.size(); }), 0u);
}

TEST_F(HostileClients, a_body_over_1_mib_is_refused_even_while_it_is_being_sent) {
  start();
  EXPECT_EQ(ask("POST", "/v1/commands", std::string(kBodyLimit + 1, ' ')).status, 413);
  RawClient chunked(run_directory_);
  chunked.send("POST /v1/commands HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" +
               std::string(0x200000, ' '));
  const Response response = chunked.read();
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(response.detail(), HasSubstr("1 MiB"));
  expect_still_serving();
}

TEST_F(HostileClients, a_transaction_may_be_long_but_not_endless) {
  start();
  const std::string blanks(kBodyLimit + 1, ' ');
  EXPECT_TRUE(ask("POST", "/v1/transactions", "[" + blanks + "]").json().is_null());
  RawClient client(run_directory_);
  client.send("POST /v1/transactions HTTP/1.1\r\nContent-Length: " + std::to_string(kTransactionLimit + 1) +
              "\r\n\r\n");
  EXPECT_EQ(client.read().status, 413);
  expect_still_serving();
}

TEST_F(HostileClients, a_transaction_that_is_no_list_or_breaks_off_carries_out_nothing) {
  start();
  EXPECT_EQ(ask("POST", "/v1/transactions", "{}").status, 400);
  for (const char* body : {R"([{"op":"flush"},{"op":"flush"])", R"([{"op":"flush"},])", R"([{"op":"flush"},{"op":)"}) {
    const auto response = ask("POST", "/v1/transactions", body);
    EXPECT_EQ(response.code(), "bad-request") << body;
  }
  EXPECT_EQ(ask("POST", "/v1/transactions", R"([{"op":"flush"},{"op":"no such"}])").json()["command"], 1);
  EXPECT_EQ(in_loop([this] { return director_.commands.size(); }), 0u);
}

TEST_F(HostileClients, a_forecast_of_no_list_of_commands_is_refused) {
  start();
  EXPECT_EQ(ask("POST", "/v1/what-if", "{}").status, 400);
  for (const char* body : {R"([{"op":"flush"},])", R"([{"op":"flush"},{"op":])", R"([{"op":"no such"}])"}) {
    const auto problem = ask("POST", "/v1/what-if", body).json()["problem"];
    EXPECT_EQ(problem["status"], 400) << body;
  }
  expect_still_serving();
}

TEST_F(HostileClients, a_transaction_whose_client_goes_away_is_given_up) {
  std::atomic<int> seen = 0;
  director_.on_execute = [&](const Command&) -> Result<void> {
    if (++seen < 3) std::this_thread::sleep_for(20ms);  // each takes a slice
    return {};
  };
  start();
  std::string body = "[{\"op\":\"flush\"}";
  for (int i = 0; i < 2000; ++i) body += ",{\"op\":\"flush\"}";
  {
    RawClient client(run_directory_);
    client.send(request_text("POST", "/v1/transactions", body + "]", std::to_string(own_network_namespace().value())));
    while (seen == 0) std::this_thread::sleep_for(1ms);
  }
  expect_still_serving();
  stop();
  EXPECT_TRUE(director_.commands.empty());
}

TEST_F(HostileClients, a_body_of_exactly_1_mib_is_taken) {
  start();
  EXPECT_EQ(ask("POST", "/v1/commands", "[" + std::string(kBodyLimit - 2, ' ') + "]").body, "[]");
}

TEST_F(HostileClients, a_body_over_64_kib_that_is_no_list_of_commands_is_refused) {
  start();
  EXPECT_EQ(ask("POST", "/v1/services", std::string(kDocumentLimit + 1, '[')).status, 413);
  const std::string long_command = "[{\"op\":\"" + std::string(kDocumentLimit, 'x') + "\"}]";
  EXPECT_THAT(ask("POST", "/v1/commands", long_command).json()[0]["detail"], HasSubstr("64 KiB"));
}

TEST_F(HostileClients, a_list_of_too_many_or_broken_commands_carries_out_none) {
  start();
  std::string many = "[{\"op\":\"flush\"}";
  for (std::size_t count = 0; count < kMostCommands; ++count) many += ",{\"op\":\"flush\"}";
  EXPECT_EQ(ask("POST", "/v1/commands", many + "]").status, 400);
  EXPECT_EQ(ask("POST", "/v1/commands", many).status, 400);
  EXPECT_EQ(in_loop([this] { return director_.commands.size(); }), 0u);
}

TEST_F(HostileClients, a_header_over_16_kib_is_refused) {
  start();
  RawClient client(run_directory_);
  client.send("GET /v1/version HTTP/1.1\r\nX-Long: " + std::string(20000, 'x') + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 431);
  expect_still_serving();
}

TEST_F(HostileClients, a_client_that_leaves_in_mid_listing_does_no_harm) {
  director_.connection_count = 200000;
  start();
  for (int round = 0; round < 20; ++round) {
    RawClient client(run_directory_);
    client.send(request_text("GET", "/v1/connections"));
    EXPECT_TRUE(client.read_byte());
  }
  expect_still_serving();
}

TEST_F(HostileClients, a_slow_reader_of_200000_connections_costs_one_piece_of_memory_and_nobody_else_waits) {
  director_.connection_count = 200000;
  start();
  RawClient slow(run_directory_);
  slow.send(request_text("GET", "/v1/connections"));
  // Until it waits for the reader, however long that takes; one that does not wait gets to the end.
  std::uint32_t read_ahead = 0;
  do {
    read_ahead = director_.connections_read;
    std::this_thread::sleep_for(200ms);
  } while (read_ahead == 0 || director_.connections_read != read_ahead);
  EXPECT_LE(read_ahead, 20000u);  // the socket's buffer holds some, we hold one piece
  expect_still_serving();
  const Response response = slow.read();
  EXPECT_EQ(std::count(response.body.begin(), response.body.end(), '\n'), 200000);
}

TEST_F(HostileClients, a_reader_that_stops_for_good_is_dropped) {
  director_.connection_count = 200000;
  start({.listing_timeout = 100ms});
  RawClient stuck(run_directory_);
  stuck.send(request_text("GET", "/v1/connections"));
  while (director_.connections_read == 0) std::this_thread::sleep_for(1ms);
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (open_connections() > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(20ms);
  EXPECT_EQ(open_connections(), 0u);
}

TEST_F(HostileClients, a_hundred_clients_at_once_are_all_served) {
  director_.connection_count = 500;
  start();
  std::atomic<int> served = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 100; ++number) {
    threads.emplace_back([&, number] {
      auto one = Client::connect(run_directory_);
      if (!one) return;
      std::size_t lines = 0;
      const bool listed =
          number % 10 != 0 || (one->connections([&](const ConnectionView&) { return ++lines > 0; }) && lines == 500);
      if (listed && one->execute(Flush{}) && one->services()) ++served;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, 100);
}

TEST_F(HostileClients, clients_over_the_limit_wait_until_one_has_gone) {
  start({.max_connections = 2});
  auto first = std::make_unique<RawClient>(run_directory_);
  RawClient second(run_directory_);
  for (RawClient* client : {first.get(), &second}) {
    client->send(request_text("GET", "/v1/version"));
    EXPECT_EQ(client->read().status, 200);
  }
  RawClient third(run_directory_);
  third.send(request_text("GET", "/v1/version"));
  third.set_patience(100ms);
  EXPECT_EQ(third.read().status, 0);
  first.reset();
  third.set_patience(5000ms);
  EXPECT_EQ(third.read().status, 200);
}

TEST_F(HostileClients, one_connection_carries_many_requests_even_pipelined) {
  start();
  RawClient client(run_directory_);
  std::string requests;
  for (int number = 0; number < 500; ++number) requests += request_text("GET", "/v1/timeouts");
  client.send(requests);
  for (int number = 0; number < 500; ++number) ASSERT_EQ(client.read().status, 200) << number;
}

TEST_F(HostileClients, http_1_0_and_expect_100_are_understood) {
  director_.connection_count = 10;
  start();
  RawClient old(run_directory_);
  old.send("GET /v1/connections HTTP/1.0\r\n\r\n");
  const Response listing = old.read();
  EXPECT_EQ(listing.status, 200);
  EXPECT_EQ(std::count(listing.body.begin(), listing.body.end(), '\n'), 10);

  RawClient polite(run_directory_);
  polite.send("POST /v1/zero HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" +
              std::string(kNamespaceHeader) + ": " + std::to_string(*own_network_namespace()) + "\r\n\r\n");
  EXPECT_EQ(polite.read().status, 100);
  polite.send("{}");
  EXPECT_EQ(polite.read().status, 204);
}

TEST_F(HostileClients, the_server_may_end_in_the_middle_of_everything) {
  director_.connection_count = 200000;
  start();
  RawClient listing(run_directory_);
  listing.send(request_text("GET", "/v1/connections"));
  RawClient idle(run_directory_);
  RawClient half(run_directory_);
  half.send("POST /v1/services HT");
  expect_still_serving();
  stop();
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(half.is_closed());
  EXPECT_FALSE(std::filesystem::exists(socket_path(run_directory_)));
}

}  // namespace
}  // namespace limpet::api
