// SPDX-License-Identifier: Apache-2.0
// What limpet's subcommands are asked about, as typed.
#include "programs/limpet_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "programs/limpet_text.h"

namespace limpet {
namespace {

using testing::HasSubstr;

std::string service_of(const std::string& word) {
  const auto filter = read_session_arguments({.client = "", .service = word, .server = ""});
  return filter ? filter->service->to_string() : filter.error().text;
}

TEST(LimpetArguments, services_are_named_in_ipvsadms_words) {
  EXPECT_EQ(service_of("192.0.2.1:80"), "tcp/192.0.2.1:80");
  EXPECT_EQ(service_of("192.0.2.1"), "tcp/192.0.2.1:0");
  for (const char* word : {"t:192.0.2.1:80", "tcp:192.0.2.1:80", "tcp/192.0.2.1:80"})
    EXPECT_EQ(service_of(word), "tcp/192.0.2.1:80") << word;
  for (const char* word : {"u:192.0.2.1:53", "udp:192.0.2.1:53", "udp/192.0.2.1:53"})
    EXPECT_EQ(service_of(word), "udp/192.0.2.1:53") << word;
  for (const char* word : {"f:10", "fwm:10", "fwm/10", "fwm:0xa"}) EXPECT_EQ(service_of(word), "fwm/10") << word;
  EXPECT_EQ(service_of("[2001:db8::1]:80"), "tcp/[2001:db8::1]:80");
  EXPECT_EQ(service_of("f::1"), "tcp/[f::1]:0");
}

TEST(LimpetArguments, what_limpet_prints_is_taken_back) {
  for (const char* word : {"tcp:192.0.2.1:80", "udp:192.0.2.1:*", "fwm:10"}) {
    const auto filter = read_session_arguments({.client = "", .service = word, .server = ""});
    ASSERT_TRUE(filter) << filter.error().text;
    EXPECT_EQ(text::name(*filter->service), word);
  }
}

TEST(LimpetArguments, what_names_no_service_is_said_to) {
  for (const char* word : {"web", "fwm:0", "fwm:ten", "fwm:4294967296", "tcp:", "tcp:192.0.2.1:http", "192.0.2.1:65536",
                           "192.0.2:80", "x:192.0.2.1:80", ":", "/", "192.0.2.1:", "udp:[2001:db8::1]"}) {
    EXPECT_THAT(service_of(word), HasSubstr("--service: \"" + std::string(word) + "\" is not a service")) << word;
  }
}

TEST(LimpetArguments, clients_are_addresses_and_networks) {
  const auto client_of = [](const std::string& word) {
    const auto filter = read_session_arguments({.client = word, .service = "", .server = ""});
    return filter ? filter->client->to_string() : filter.error().text;
  };
  EXPECT_EQ(client_of("10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(client_of("10.1.2.3/16"), "10.1.0.0/16");
  EXPECT_EQ(client_of("10.1.2.3/0"), "0.0.0.0/0");
  EXPECT_EQ(client_of("2001:db8::ff/32"), "2001:db8::/32");
  for (const char* word : {"10.1.2", "10.1.2.3/33", "10.1.2.3/", "10.1.2.3/x", "10.1.2.3/-1", "client1", "10.1.2.3:80"})
    EXPECT_THAT(client_of(word), HasSubstr("--client: \"" + std::string(word) + "\"")) << word;
}

TEST(LimpetArguments, servers_have_a_port_or_none) {
  const auto server_of = [](const std::string& word) {
    const auto filter = read_session_arguments({.client = "", .service = "", .server = word});
    return filter ? filter->server->to_string() : filter.error().text;
  };
  EXPECT_EQ(server_of("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(server_of("10.0.0.1:80"), "10.0.0.1:80");
  EXPECT_EQ(server_of("2001:db8::1"), "2001:db8::1");
  EXPECT_THAT(server_of("10.0.0.1:http"), HasSubstr("--server: \"10.0.0.1:http\""));
}

TEST(LimpetArguments, nothing_given_narrows_nothing) { EXPECT_EQ(*read_session_arguments({}), SessionFilter{}); }

TEST(LimpetArguments, a_question_has_a_client_and_a_target) {
  const auto question = read_explain_arguments(
      {.client = "10.1.0.1:4000", .virtual_endpoint = "192.0.2.1:53", .mark = "0x10", .udp = true});
  ASSERT_TRUE(question) << question.error().text;
  EXPECT_EQ(question->client_port, Port{4000});
  EXPECT_EQ(question->virtual_port, Port{53});
  EXPECT_EQ(question->protocol, Protocol::udp);
  EXPECT_EQ(question->mark, Mark{16});
  EXPECT_EQ(read_explain_arguments({.client = "10.1.0.1", .virtual_endpoint = "192.0.2.1:80", .mark = "", .udp = false})
                ->client_port,
            Port{0});
}

TEST(LimpetArguments, a_wrong_question_names_its_word) {
  const auto error = [](const std::string& client, const std::string& target, const std::string& mark) {
    return read_explain_arguments({.client = client, .virtual_endpoint = target, .mark = mark, .udp = false})
        .error()
        .text;
  };
  EXPECT_THAT(error("me", "192.0.2.1:80", ""), HasSubstr("CLIENT: \"me\""));
  EXPECT_THAT(error("10.1.0.1:0", "192.0.2.1:80", ""), HasSubstr("CLIENT: \"10.1.0.1:0\""));
  EXPECT_THAT(error("10.1.0.1", "192.0.2.1", ""), HasSubstr("VIP:PORT: \"192.0.2.1\""));
  EXPECT_THAT(error("10.1.0.1", "192.0.2.1:0", ""), HasSubstr("VIP:PORT: \"192.0.2.1:0\""));
  EXPECT_THAT(error("10.1.0.1", "192.0.2.1:80", "0"), HasSubstr("--mark: \"0\""));
  EXPECT_THAT(error("10.1.0.1", "192.0.2.1:80", "-1"), HasSubstr("--mark: \"-1\""));
}

}  // namespace
}  // namespace limpet
