// SPDX-License-Identifier: Apache-2.0
// The pages of limpet services, sessions and explain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "programs/limpet_explain.h"
#include "programs/limpet_services.h"
#include "programs/limpet_sessions.h"

namespace limpet {
namespace {

using testing::HasSubstr;
using testing::Not;

const Address kVip = *Address::parse("192.0.2.1");
const Address kServer = *Address::parse("198.51.100.7");
const Address kClient = *Address::parse("10.1.0.1");

ServiceKey web() { return ServiceKey::of_address(Protocol::tcp, kVip, Port{80}); }

TEST(ServicesPage, services_stand_above_their_servers_with_their_sums) {
  ServiceView first;
  first.service.key = ServiceKey::of_mark(Mark{10});
  first.service.scheduler = "wlc";
  ServiceView second;
  second.service.key = web();
  second.service.scheduler = "rr";
  second.service.persistent = true;
  second.service.timeout = 600;
  second.counters = {123456, 0, 0, 2500, 999};
  second.rates = {7, 0, 0, 1000, 0};
  DestinationView server;
  server.destination.key = {kServer, Port{80}};
  server.destination.method = ForwardingMethod::masq;
  server.active = 1;
  server.inactive = 2;
  server.persistent = 3;
  second.destinations.assign(2, server);
  second.destinations[1].destination.key.port = Port{0};
  EXPECT_EQ(services_page({first, second}),
            "SERVICE, SERVERS   HOW                    WEIGHT  ACTIVE  INACTIVE  CLIENTS   CONNS      IN    OUT  "
            "CONNS/S    IN/S  OUT/S\n"
            "fwm:10             wlc                                 0         0        0       0     0 B    0 B  "
            "      0     0 B    0 B\n"
            "tcp:192.0.2.1:80   rr, persistent 10 min               2         4        6  123.5k  2.5 kB  999 B  "
            "      7  1.0 kB    0 B\n"
            "  198.51.100.7:80  masq                        1       1         2        3       0     0 B    0 B  "
            "      0     0 B    0 B\n"
            "  198.51.100.7:*   masq                        1       1         2        3       0     0 B    0 B  "
            "      0     0 B    0 B\n");
}

TEST(ServicesPage, no_services_is_a_sentence) { EXPECT_THAT(services_page({}), HasSubstr("no services")); }

SessionView session() {
  SessionView view;
  view.connection.state = "ESTABLISHED";
  view.connection.expires = 899;
  view.connection.client = kClient;
  view.connection.client_port = Port{40000};
  view.connection.virtual_address = kVip;
  view.connection.virtual_port = Port{80};
  view.connection.destination = kServer;
  view.connection.destination_port = Port{8080};
  view.service = web();
  view.scheduler = "rr";
  return view;
}

SessionView a_template() {
  SessionView view = session();
  view.connection.is_template = true;
  view.connection.state = "ASSURED";
  view.connection.client_port = Port{0};
  view.network = "10.1.0.0/24";
  view.controlled = 3;
  return view;
}

TEST(SessionsPage, a_connection_and_a_template_stand_in_the_same_columns) {
  EXPECT_EQ(sessions_header() + session_line(session()) + session_line(a_template()),
            "KIND      CLIENT                 TO                     SERVER                 STATE        LEFT     WHY\n"
            "tcp       10.1.0.1:40000         192.0.2.1:80           198.51.100.7:8080      ESTABLISHED  14:59    "
            "scheduled by rr\n"
            "template  10.1.0.0/24            192.0.2.1:80           198.51.100.7:8080      ASSURED      14:59    "
            "persistent: 10.1.0.0/24 stays here; 3 connections\n");
}

TEST(SessionsPage, the_reason_names_template_mark_and_what_is_gone) {
  SessionView view = session();
  view.network = "10.1.0.0/24";
  EXPECT_EQ(session_reason(view), "persistent: template of 10.1.0.0/24");
  view.service = ServiceKey::of_mark(Mark{10});
  EXPECT_EQ(session_reason(view), "mark 10, persistent: template of 10.1.0.0/24");
  view = session();
  view.server_removed = true;
  EXPECT_EQ(session_reason(view), "scheduled by rr; the server has been removed");
  view.scheduler.clear();
  EXPECT_EQ(session_reason(view), "scheduled; service tcp:192.0.2.1:80 is no more");
}

TEST(SessionsPage, a_template_of_a_mark_or_of_every_port_says_so) {
  SessionView view = a_template();
  view.connection.virtual_port = Port{0};
  EXPECT_THAT(session_line(view), HasSubstr(" 192.0.2.1:* "));
  view.service = ServiceKey::of_mark(Mark{10});
  EXPECT_THAT(session_line(view), HasSubstr(" mark 10 "));
  EXPECT_THAT(session_reason(view), HasSubstr("mark 10, persistent"));
}

TEST(SessionsPage, a_template_given_up_is_no_port_65535) {
  SessionView view = a_template();
  view.connection.virtual_port = view.connection.destination_port = Port{65535};
  view.controlled = 1;
  EXPECT_THAT(session_line(view), Not(HasSubstr("65535")));
  EXPECT_THAT(session_reason(view), HasSubstr("given up"));
  EXPECT_THAT(session_reason(view), HasSubstr("1 connection"));
  EXPECT_THAT(session_reason(view), Not(HasSubstr("1 connections")));
  view.service.port = Port{65535};
  EXPECT_THAT(session_line(view), HasSubstr("192.0.2.1:65535"));
  EXPECT_THAT(session_reason(view), Not(HasSubstr("given up")));
}

class ExplanationText : public testing::Test {
 protected:
  ExplanationText() {
    question.client = kClient;
    question.virtual_address = kVip;
    question.virtual_port = Port{80};
    explanation.rule = ExplainRule::scheduler;
    explanation.service = web();
    explanation.scheduler = "rr";
    explanation.server = ChosenServer{{kServer, Port{80}}, ForwardingMethod::route, 1, WayToServer::ready};
  }
  std::string text() const { return explanation_text(question, explanation); }

  ExplainQuestion question;
  Explanation explanation;
};

TEST_F(ExplanationText, the_schedulers_turn) {
  explanation.weight_0 = {{*Address::parse("198.51.100.8"), Port{80}}};
  EXPECT_EQ(text(),
            "10.1.0.1 to tcp 192.0.2.1:80: goes to 198.51.100.7:80 (route)\n"
            "because it is this server's turn by rr (service tcp:192.0.2.1:80)\n"
            "skipped, for weight 0: 198.51.100.8:80\n");
}

TEST_F(ExplanationText, what_a_scheduler_hashes) {
  explanation.scheduler = "sh";
  explanation.hashes = Hashed::client_address_and_port;
  explanation.weight_0 = {{*Address::parse("198.51.100.8"), Port{80}}};
  EXPECT_EQ(text(),
            "10.1.0.1 to tcp 192.0.2.1:80: goes to 198.51.100.7:80 (route)\n"
            "because a hash of the client's address and port leads to this server by sh (service tcp:192.0.2.1:80)\n"
            "of weight 0: 198.51.100.8:80\n"
            "note: the hash needs the client's port; give it as 10.1.0.1:PORT\n");
  explanation.scheduler = "dh";
  explanation.hashes = Hashed::virtual_address;
  explanation.rule = ExplainRule::no_server;
  explanation.server.reset();
  EXPECT_EQ(text(),
            "10.1.0.1 to tcp 192.0.2.1:80: refused, with ICMP port unreachable\n"
            "because a hash of the virtual address leads to no server that takes new connections by dh (service "
            "tcp:192.0.2.1:80)\n"
            "of weight 0: 198.51.100.8:80\n");
}

TEST_F(ExplanationText, a_template_with_its_time_left) {
  explanation.rule = ExplainRule::persistence;
  explanation.network = "10.1.0.0/24";
  explanation.expires = 598;
  explanation.server->weight = 0;
  explanation.weight_0 = {{kServer, Port{80}}};
  EXPECT_EQ(
      text(),
      "10.1.0.1 to tcp 192.0.2.1:80: goes to 198.51.100.7:80 (route)\n"
      "because the template of 10.1.0.0/24 keeps it with this server, 9 min 58 s left (service tcp:192.0.2.1:80)\n"
      "note: the server has weight 0: it keeps its persistent clients and gets no new ones\n");
}

TEST_F(ExplanationText, a_connection_that_is_there) {
  question.client_port = Port{40000};
  explanation.rule = ExplainRule::connection;
  explanation.state = "ESTABLISHED";
  explanation.expires = 800;
  EXPECT_EQ(text(),
            "10.1.0.1:40000 to tcp 192.0.2.1:80: goes to 198.51.100.7:80 (route)\n"
            "because a connection is there (ESTABLISHED, 13 min 20 s left): its packets stay with its server\n");
  explanation.rule = ExplainRule::removed_server;
  EXPECT_THAT(text(), HasSubstr("40000 to tcp 192.0.2.1:80: dropped\n"));
  EXPECT_THAT(text(), HasSubstr("its server 198.51.100.7:80 has been removed"));
}

TEST_F(ExplanationText, what_is_refused_passed_or_cut_off) {
  explanation.server->way = WayToServer::unreachable;
  EXPECT_THAT(text(), HasSubstr(": dropped\n"));
  EXPECT_THAT(text(), HasSubstr("no route to the server 198.51.100.7:80"));
  explanation.server.reset();
  explanation.rule = ExplainRule::no_server;
  EXPECT_THAT(text(), HasSubstr("refused, with ICMP port unreachable"));
  explanation.rule = ExplainRule::not_local;
  EXPECT_THAT(text(), HasSubstr("passed on to this host\nbecause 192.0.2.1 is no address of this host now"));
  explanation.rule = ExplainRule::no_service;
  question.mark = Mark{11};
  question.protocol = Protocol::udp;
  EXPECT_THAT(text(), HasSubstr("there is no service for udp 192.0.2.1:80 nor for mark 11"));
}

TEST_F(ExplanationText, past_the_servers) {
  explanation.rule = ExplainRule::bypass;
  explanation.service = ServiceKey::of_mark(Mark{10}, Family::ipv4);
  explanation.server = ChosenServer{{*Address::parse("192.0.2.1"), Port{80}}, ForwardingMethod::route, 0};
  EXPECT_EQ(text(),
            "10.1.0.1 to tcp 192.0.2.1:80: goes to 192.0.2.1:80 (route)\n"
            "because service fwm:10 has no server that takes new connections, and cache_bypass lets it go to the "
            "address it is sent to\n");
  explanation.state = "ESTABLISHED";
  explanation.expires = 60;
  EXPECT_THAT(text(), HasSubstr("because a connection is there (ESTABLISHED, 1 min left), that cache_bypass has let "
                                "go to the address it was sent to\n"));
  for (const WayToServer way : {WayToServer::unreachable, WayToServer::local}) {
    explanation.server->way = way;
    EXPECT_THAT(text(), HasSubstr("dropped"));
  }
}

TEST_F(ExplanationText, notes_tell_of_what_was_there_and_of_netfilter) {
  explanation.former = DestinationKey{kServer, Port{80}};
  explanation.reused = explanation.deferred = true;
  EXPECT_THAT(text(), HasSubstr("the connection that is there, with 198.51.100.7:80, has ended"));
  EXPECT_THAT(text(), HasSubstr("netfilter, which may drop them, or mark them: --mark says"));
  question.mark = Mark{10};
  EXPECT_THAT(text(), HasSubstr("netfilter, which may drop them\n"));
  explanation.given_up = true;
  EXPECT_THAT(text(), HasSubstr("there is a template for 198.51.100.7:80"));
}

}  // namespace
}  // namespace limpet
