// SPDX-License-Identifier: Apache-2.0
// Whatever the model can hold goes to JSON text and back unchanged.
#include <random>

#include <gtest/gtest.h>

#include "api/status_json.h"
#include "json/json.h"

namespace limpet::json_codec {
namespace {

constexpr int kRounds = 300;

// Random values of the model, the same ones on every run.
class Dice {
 public:
  template <class T>
  T any() {
    return static_cast<T>(engine_());
  }
  std::size_t below(std::size_t limit) { return engine_() % limit; }
  bool coin() { return below(2) == 0; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + below(values.size()));
  }

  Address address() {
    if (coin()) return Address::ipv4(any<std::uint32_t>());
    std::array<std::uint8_t, 16> bytes;
    for (auto& byte : bytes) byte = coin() ? any<std::uint8_t>() : 0;
    return Address::ipv6(bytes);
  }
  Port port() { return Port{any<std::uint16_t>()}; }
  ServiceKey service_key() {
    if (coin()) {
      return ServiceKey::of_mark(Mark{static_cast<std::uint32_t>(1 + below(UINT32_MAX))},
                                 one_of({Family::ipv4, Family::ipv6}));
    }
    return ServiceKey::of_address(one_of({Protocol::tcp, Protocol::udp, Protocol::sctp}), address(), port());
  }
  Service service() {
    Service service;
    service.key = service_key();
    service.scheduler = one_of<const char*>({"rr", "wlc", "mh", "", "no \"such\" \\ one"});
    service.persistent = coin();
    service.timeout = any<std::uint32_t>();
    service.netmask = any<std::uint32_t>();
    service.one_packet = coin();
    service.scheduler_flags = any<std::uint32_t>() & (sched_flag_1 | sched_flag_2 | sched_flag_3);
    service.persistence_engine = one_of<const char*>({"", "sip"});
    return service;
  }
  DestinationKey destination_key() { return {address(), port()}; }
  Destination destination() {
    Destination destination;
    destination.key = destination_key();
    destination.method =
        one_of({ForwardingMethod::masq, ForwardingMethod::local, ForwardingMethod::tunnel, ForwardingMethod::route});
    destination.weight = any<std::uint32_t>();
    destination.upper_threshold = any<std::uint32_t>();
    destination.lower_threshold = any<std::uint32_t>();
    if (coin()) {
      destination.tunnel = {one_of({TunnelType::ipip, TunnelType::gue, TunnelType::gre}), port(),
                            static_cast<std::uint16_t>(below(4))};
    }
    return destination;
  }
  Timeouts timeouts() { return {any<std::uint32_t>(), any<std::uint32_t>(), any<std::uint32_t>()}; }
  template <class T>
  T counts() {
    return {any<std::uint64_t>(), any<std::uint64_t>(), any<std::uint64_t>(), any<std::uint64_t>(),
            any<std::uint64_t>()};
  }
  SyncDaemon sync_daemon() {
    SyncDaemon daemon;
    daemon.role = one_of({SyncRole::master, SyncRole::backup});
    daemon.interface = one_of<const char*>({"eth0", "", "odd \"name\""});
    daemon.sync_id = any<std::uint8_t>();
    daemon.max_length = any<std::uint16_t>();
    daemon.group = address();
    daemon.port = port();
    daemon.ttl = any<std::uint8_t>();
    return daemon;
  }
  Command command() {
    switch (below(12)) {
      case 0:
        return AddService{service()};
      case 1:
        return EditService{service()};
      case 2:
        return DeleteService{service_key()};
      case 3:
        return Flush{};
      case 4:
        return AddDestination{service_key(), destination()};
      case 5:
        return EditDestination{service_key(), destination()};
      case 6:
        return DeleteDestination{service_key(), destination_key()};
      case 7:
        return SetTimeouts{timeouts()};
      case 8:
        return StartSyncDaemon{sync_daemon()};
      case 9:
        return StopSyncDaemon{one_of({SyncRole::master, SyncRole::backup})};
      case 10:
        return SetTunables{{{"sloppy_tcp", std::to_string(any<std::int32_t>())}, {"sync_threshold", "3\t50"}}};
      default:
        return coin() ? Zero{} : Zero{service_key()};
    }
  }
  ServiceView service_view() {
    ServiceView view;
    view.service = service();
    view.counters = counts<Counters>();
    view.rates = counts<Rates>();
    for (std::size_t count = below(4); count > 0; --count) {
      view.destinations.push_back({destination(), any<std::uint32_t>(), any<std::uint32_t>(), any<std::uint32_t>(),
                                   counts<Counters>(), counts<Rates>()});
    }
    return view;
  }
  ConnectionView connection() {
    ConnectionView view;
    view.family = one_of({Family::ipv4, Family::ipv6});
    view.protocol = one_of({Protocol::tcp, Protocol::udp, Protocol::sctp, Protocol::ip});
    view.is_template = coin();
    view.state = one_of<const char*>({"ESTABLISHED", "UDP", "ASSURED", "NONE"});
    view.expires = any<std::uint32_t>();
    view.client = address();
    view.client_port = port();
    view.virtual_address = address();
    view.virtual_port = port();
    view.destination = address();
    view.destination_port = port();
    view.engine = one_of<const char*>({"", "sip"});
    if (!view.engine.empty()) view.engine_data = one_of<const char*>({"", "call-id \"1\""});
    return view;
  }
  SessionView session() {
    SessionView view;
    view.connection = connection();
    view.service = service_key();
    view.scheduler = one_of<const char*>({"rr", "wlc", ""});
    view.method =
        one_of({ForwardingMethod::masq, ForwardingMethod::local, ForwardingMethod::tunnel, ForwardingMethod::route});
    view.server_removed = coin();
    view.network = one_of<const char*>({"", "10.1.0.0/24", "10.0.2.0/255.0.255.0"});
    view.controlled = any<std::uint32_t>();
    return view;
  }
  Explanation explanation() {
    Explanation explanation;
    explanation.rule = static_cast<ExplainRule>(below(static_cast<std::size_t>(ExplainRule::drop_packet) + 1));
    if (coin()) explanation.service = service_key();
    explanation.scheduler = one_of<const char*>({"rr", ""});
    explanation.hashes = static_cast<Hashed>(below(4));
    if (coin()) {
      explanation.server = ChosenServer{destination_key(), ForwardingMethod::masq, any<std::uint32_t>(),
                                        static_cast<WayToServer>(below(4))};
    }
    explanation.state = one_of<const char*>({"", "ESTABLISHED"});
    explanation.expires = any<std::uint32_t>();
    explanation.network = one_of<const char*>({"", "10.1.0.0/24"});
    if (coin()) explanation.former = destination_key();
    explanation.reused = coin();
    explanation.given_up = coin();
    explanation.deferred = coin();
    for (std::size_t number = below(4); number > 0; --number) explanation.weight_0.push_back(destination_key());
    return explanation;
  }

 private:
  std::mt19937_64 engine_{20};
};

Json through_text(const Json& json) { return *parse_text(to_text(json), "the document"); }

TEST(JsonRoundTrip, every_command_survives) {
  Dice dice;
  for (int round = 0; round < kRounds; ++round) {
    const Json written = command_to_json(dice.command());
    const auto read = command_from_json(through_text(written));
    ASSERT_TRUE(read) << written << read.error().text;
    EXPECT_EQ(command_to_json(*read), written);
  }
}

// By a shorter way, which the journal takes.
TEST(JsonRoundTrip, a_command_is_the_same_text_whether_or_not_a_document_was_made_of_it) {
  Dice dice;
  for (int round = 0; round < kRounds; ++round) {
    const Command command = dice.command();
    EXPECT_EQ(command_to_text(command), to_text(command_to_json(command)));
  }
  for (const char* name : {"", "wlc", "a \"quoted\\ one\"", "line\nend", "\x7f", "\xc3\xa4", "\xff", "\x01"}) {
    Service service;
    service.scheduler = name;
    service.persistence_engine = name;
    EXPECT_EQ(command_to_text(AddService{service}), to_text(command_to_json(AddService{service})));
  }
}

TEST(JsonRoundTrip, every_service_survives) {
  Dice dice;
  for (int round = 0; round < kRounds; ++round) {
    const Service service = dice.service();
    const auto read = service_from_json(through_text(service_to_json(service)));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(*read, service) << service_to_json(service);
  }
}

TEST(JsonRoundTrip, every_destination_survives) {
  Dice dice;
  for (int round = 0; round < kRounds; ++round) {
    const Destination destination = dice.destination();
    const auto read = destination_from_json(through_text(destination_to_json(destination)));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(*read, destination) << destination_to_json(destination);
  }
}

TEST(JsonRoundTrip, every_service_view_survives_with_its_counts) {
  Dice dice;
  for (int round = 0; round < kRounds; ++round) {
    const ServiceView view = dice.service_view();
    const auto read = service_view_from_json(through_text(service_view_to_json(view)));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->service, view.service);
    EXPECT_EQ(read->counters, view.counters);
    EXPECT_EQ(read->rates, view.rates);
    EXPECT_EQ(service_view_to_json(*read), service_view_to_json(view));
  }
}

TEST(JsonRoundTrip, every_connection_survives) {
  Dice dice;
  for (int round = 0; round < kRounds; ++round) {
    const Json written = connection_to_json(dice.connection());
    const auto read = connection_from_json(through_text(written));
    ASSERT_TRUE(read) << written << read.error().text;
    EXPECT_EQ(connection_to_json(*read), written);
  }
}

TEST(JsonRoundTrip, every_session_survives) {
  Dice dice;
  for (int round = 0; round < kRounds; ++round) {
    const Json written = session_to_json(dice.session());
    const auto read = session_from_json(through_text(written));
    ASSERT_TRUE(read) << written << read.error().text;
    EXPECT_EQ(session_to_json(*read), written);
  }
}

TEST(JsonRoundTrip, every_explanation_survives) {
  Dice dice;
  for (int round = 0; round < kRounds; ++round) {
    const Json written = explanation_to_json(dice.explanation());
    const auto read = explanation_from_json(through_text(written));
    ASSERT_TRUE(read) << written << read.error().text;
    EXPECT_EQ(explanation_to_json(*read), written);
  }
}

TEST(JsonRoundTrip, a_status_survives) {
  Status status{"0.1.0", 3, 4026531840, {{"eth0", "tc", "veth"}}, {{"flows4", 7, 100}}, 12, 34, {"mind the gap"}};
  const auto read = api::status_from_json(through_text(api::status_to_json(status)));
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(api::status_to_json(*read), api::status_to_json(status));
  EXPECT_EQ(read->doors.front().reason, "veth");
}

TEST(JsonRoundTrip, every_error_survives_as_a_problem_document) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    const Error error{static_cast<ErrorCode>(code), "the text of " + std::to_string(code)};
    const Error read = error_from_problem(through_text(problem_to_json(error)));
    EXPECT_EQ(read.code, error.code) << problem_to_json(error);
    EXPECT_EQ(read.text, error.text);
  }
}

// Documents a fuzzer of modest means makes out of good ones: reading answers, it never throws.
TEST(JsonRoundTrip, damaged_documents_are_refused_without_an_exception) {
  Dice dice;
  for (int round = 0; round < kRounds; ++round) {
    std::string text = to_text(command_to_json(dice.command()));
    for (std::size_t damage = 1 + dice.below(4); damage > 0; --damage) {
      text[dice.below(text.size())] = "{}[]\",:0-e\x80"[dice.below(11)];
    }
    const auto document = parse_text(text, "the document");
    if (document) {
      EXPECT_NO_THROW({ (void)command_from_json(*document); });
    }
  }
}

}  // namespace
}  // namespace limpet::json_codec
