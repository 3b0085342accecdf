// SPDX-License-Identifier: Apache-2.0
// Messages in, messages out: acknowledgements, answers, lists and refusals, before a director without a kernel.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ipvs_netlink/conversation.h"
#include "unit/api/fake_director.h"
#include "unit/ipvs_netlink/messages.h"

namespace limpet::ipvs_netlink {
namespace {

using api::FakeDirector;
using testing::ElementsAre;

// Owns the bytes that messages are views of.
struct Answered {
  Bytes asked;
  Answer answer;
  std::vector<Bytes> dump;

  std::vector<Seen> messages() const {
    std::vector<Seen> all;
    for (const auto* datagrams : {&answer.datagrams, &dump}) {
      for (const Bytes& each : *datagrams) {
        for (const Seen& seen : messages_of(each)) all.push_back(seen);
      }
    }
    return all;
  }
  // Of an answer that is nothing but an acknowledgement or a refusal.
  int error() const {
    const auto all = messages();
    if (all.size() != 1 || all.front().message.type != NLMSG_ERROR) return -1;
    return all.front().error;
  }
};

class NetlinkConversation : public testing::Test {
 protected:
  NetlinkConversation() {
    ServiceView view;
    view.service.key = ServiceKey::of_address(Protocol::tcp, *Address::parse("192.0.2.1"), Port{80});
    view.service.scheduler = "rr";
    view.counters = {std::uint64_t{1} << 32, 2, 3, 4, 5};
    view.rates = {6, 7, 8, 9, 10};
    DestinationView destination;
    destination.destination.key = {*Address::parse("198.51.100.7"), Port{8080}};
    destination.destination.method = ForwardingMethod::masq;
    destination.destination.weight = 3;
    destination.active = 11;
    destination.inactive = 12;
    destination.persistent = 13;
    view.destinations = {destination};
    director_.listed = {view};
  }

  Answered ask(Bytes bytes, Rights rights = Rights::all) {
    Answered answered{std::move(bytes), {}, {}};
    ByteView datagram = answered.asked;
    const auto message = next_message(datagram);
    if (!message) return answered;
    answered.answer = answer(director_, rights, *message);
    if (answered.answer.dump) {
      while (auto piece = answered.answer.dump->next()) answered.dump.push_back(std::move(*piece));
    }
    return answered;
  }
  int refusal(std::uint8_t command, const Fill& fill, const Error& error) {
    director_.on_execute = [&](const Command&) { return error; };
    return ask(request(command, fill)).error();
  }

  FakeDirector director_;
};

Bytes ask_for_family(const std::string& name) {
  Writer writer;
  const auto mark = writer.begin_generic(GENL_ID_CTRL, kAcknowledged, 3, 4711, CTRL_CMD_GETFAMILY, 2);
  writer.put_text(CTRL_ATTR_FAMILY_NAME, name);
  writer.end_message(mark);
  return writer.take();
}

TEST_F(NetlinkConversation, the_controller_tells_the_number_of_the_family_and_of_no_other) {
  const auto answered = ask(ask_for_family("IPVS"));
  ASSERT_EQ(answered.answer.datagrams.size(), 2u) << "libnl waits for the acknowledgement in a datagram of its own";
  const auto messages = answered.messages();
  EXPECT_EQ(messages[0].message.type, GENL_ID_CTRL);
  EXPECT_EQ(messages[0].command, CTRL_CMD_NEWFAMILY);
  const auto attributes = attributes_of(messages[0].attributes);
  EXPECT_EQ(attributes.text(CTRL_ATTR_FAMILY_NAME), "IPVS");
  EXPECT_EQ(attributes.u16(CTRL_ATTR_FAMILY_ID), LIMPET_IPVS_FAMILY);
  EXPECT_EQ(attributes.u32(CTRL_ATTR_MAXATTR), 6u);
  EXPECT_EQ(messages[1].message.type, NLMSG_ERROR);
  EXPECT_EQ(messages[1].error, 0);
  EXPECT_EQ(ask(ask_for_family("nl80211")).error(), ENOENT);
}

TEST_F(NetlinkConversation, an_answer_carries_the_numbers_of_its_question) {
  for (const Seen& seen : ask(request(
                                  IPVS_CMD_GET_INFO, [](Writer&) {}, kAcknowledged, 99))
                              .messages()) {
    EXPECT_EQ(seen.message.sequence, 99u);
    EXPECT_EQ(seen.message.port, 4711u);
  }
}

TEST_F(NetlinkConversation, a_change_is_acknowledged_only_if_that_is_asked_for_and_refused_always) {
  const auto fill = of_service(whole_service());
  const auto done = ask(request(IPVS_CMD_NEW_SERVICE, fill));
  EXPECT_EQ(done.error(), 0);
  EXPECT_EQ(done.messages().front().message.flags, NLM_F_CAPPED) << "the header is quoted";
  EXPECT_TRUE(ask(request(IPVS_CMD_NEW_SERVICE, fill, NLM_F_REQUEST)).messages().empty());
  EXPECT_EQ(director_.commands.size(), 2u);
  director_.on_execute = [](const Command&) { return Error{ErrorCode::service_exists, ""}; };
  const auto refused = ask(request(IPVS_CMD_NEW_SERVICE, fill, NLM_F_REQUEST));
  EXPECT_EQ(refused.error(), EEXIST);
  EXPECT_EQ(refused.messages().front().message.flags, 0);
  EXPECT_EQ(refused.messages().front().message.payload.size(), 4 + refused.asked.size()) << "the question is quoted";
}

TEST_F(NetlinkConversation, what_is_no_request_is_not_looked_at) {
  const auto fill = of_service(whole_service());
  EXPECT_EQ(ask(request(IPVS_CMD_NEW_SERVICE, fill, NLM_F_ACK)).error(), 0);
  EXPECT_TRUE(ask(request(IPVS_CMD_NEW_SERVICE, fill, 0)).messages().empty());
  EXPECT_TRUE(ask(request(IPVS_CMD_NEW_SERVICE, fill, NLM_F_REQUEST, 7, NLMSG_NOOP)).messages().empty());
  EXPECT_TRUE(director_.commands.empty());
}

TEST_F(NetlinkConversation, other_families_and_short_messages_are_refused) {
  EXPECT_EQ(ask(request(
                    1, [](Writer&) {}, kAcknowledged, 7, 0x1b))
                .error(),
            ENOENT);
  Writer writer;
  const auto mark = writer.begin_message(LIMPET_IPVS_FAMILY, kAcknowledged, 1, 1);
  writer.end_message(mark);
  EXPECT_EQ(ask(writer.take()).error(), EINVAL);
}

TEST_F(NetlinkConversation, every_refusal_has_its_number) {
  const auto service = of_service(whole_service());
  const auto server = of_service_and_server(service_name(), whole_server());
  const auto said = [&](ErrorCode code) { return refusal(IPVS_CMD_NEW_DEST, server, {code, ""}); };
  EXPECT_EQ(said(ErrorCode::destination_exists), EEXIST);
  EXPECT_EQ(said(ErrorCode::service_not_defined), ESRCH);
  EXPECT_EQ(said(ErrorCode::no_such_destination), ENOENT);
  EXPECT_EQ(said(ErrorCode::invalid), EINVAL);
  EXPECT_EQ(said(ErrorCode::out_of_range), ERANGE);
  EXPECT_EQ(said(ErrorCode::no_space), ENOMEM);
  EXPECT_EQ(said(ErrorCode::internal), EBUSY);
  EXPECT_EQ(refusal(IPVS_CMD_NEW_SERVICE, service, {ErrorCode::scheduler_not_found, ""}), ENOENT);
  EXPECT_EQ(refusal(IPVS_CMD_DEL_SERVICE, service, {ErrorCode::no_such_service, ""}), ESRCH);
  EXPECT_EQ(refusal(IPVS_CMD_NEW_DAEMON, of_daemon(whole_daemon()), {ErrorCode::no_such_device, ""}), ENODEV);
  EXPECT_EQ(refusal(IPVS_CMD_NEW_DAEMON, of_daemon(whole_daemon()), {ErrorCode::sync_daemon_runs, ""}), EEXIST);
  EXPECT_EQ(refusal(IPVS_CMD_DEL_DAEMON, of_daemon(whole_daemon()), {ErrorCode::no_sync_daemon, ""}), ESRCH);
}

TEST_F(NetlinkConversation, what_is_not_carried_is_told_as_by_a_kernel_without_it) {
  const auto service = [&](const Pieces& pieces) {
    return refusal(IPVS_CMD_NEW_SERVICE, of_service(pieces), {ErrorCode::not_supported, ""});
  };
  EXPECT_EQ(service(with(whole_service(), u16(IPVS_SVC_ATTR_AF, AF_INET6))), EAFNOSUPPORT);
  EXPECT_EQ(service(with(whole_service(), u16(IPVS_SVC_ATTR_PROTOCOL, IPPROTO_SCTP))), EPROTONOSUPPORT);
  EXPECT_EQ(service(with(whole_service(), text(IPVS_SVC_ATTR_SCHED_NAME, "lblcr"))), ENOENT);
  const auto tunnel = with(whole_server(), u32(IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_LOCALNODE));
  EXPECT_EQ(refusal(IPVS_CMD_NEW_DEST, of_service_and_server(service_name(), tunnel), {ErrorCode::not_supported, ""}),
            EOPNOTSUPP);
  const auto six = with(whole_server(), u16(IPVS_DEST_ATTR_ADDR_FAMILY, AF_INET6));
  EXPECT_EQ(refusal(IPVS_CMD_SET_DEST, of_service_and_server(service_name(), six), {ErrorCode::not_supported, ""}),
            EAFNOSUPPORT);
}

TEST_F(NetlinkConversation, who_may_not_is_refused_and_in_another_namespace_there_is_no_such_family) {
  for (const std::uint8_t command : {IPVS_CMD_NEW_SERVICE, IPVS_CMD_GET_INFO, IPVS_CMD_FLUSH}) {
    EXPECT_EQ(ask(request(command, of_service(whole_service())), Rights::none).error(), EPERM);
    EXPECT_EQ(ask(request(command, of_service(whole_service())), Rights::absent).error(), ENOENT);
  }
  EXPECT_EQ(ask(request(
                    IPVS_CMD_GET_SERVICE, [](Writer&) {}, kListed),
                Rights::none)
                .error(),
            EPERM);
  for (const int command : {+IPVS_CMD_UNSPEC, +IPVS_CMD_SET_INFO, IPVS_CMD_MAX + 1})
    EXPECT_EQ(ask(request(static_cast<std::uint8_t>(command), of_service(whole_service())), Rights::none).error(),
              EOPNOTSUPP);
  EXPECT_EQ(ask(ask_for_family("IPVS"), Rights::absent).error(), ENOENT);
  EXPECT_TRUE(director_.commands.empty());
}

TEST_F(NetlinkConversation, a_service_is_shown_with_its_name_flags_and_counters) {
  director_.listed[0].service.persistent = true;
  director_.listed[0].service.timeout = 600;
  const auto answered = ask(request(IPVS_CMD_GET_SERVICE, of_service(service_name())));
  const auto messages = answered.messages();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].command, IPVS_CMD_NEW_SERVICE);
  EXPECT_EQ(messages[0].message.flags, 0);
  const auto service = attributes_of(attributes_of(messages[0].attributes).bytes(IPVS_CMD_ATTR_SERVICE));
  EXPECT_EQ(service.u16(IPVS_SVC_ATTR_AF), AF_INET);
  EXPECT_EQ(service.u16(IPVS_SVC_ATTR_PROTOCOL), IPPROTO_TCP);
  EXPECT_EQ(service.bytes(IPVS_SVC_ATTR_ADDR).size(), 16u);
  EXPECT_EQ(service.network_u16(IPVS_SVC_ATTR_PORT), 80);
  EXPECT_FALSE(service.has(IPVS_SVC_ATTR_FWMARK));
  EXPECT_FALSE(service.has(IPVS_SVC_ATTR_PE_NAME));
  EXPECT_EQ(service.text(IPVS_SVC_ATTR_SCHED_NAME), "rr");
  EXPECT_EQ(service.u32(IPVS_SVC_ATTR_FLAGS), std::uint32_t{IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_HASHED});
  EXPECT_EQ(service.u32(IPVS_SVC_ATTR_TIMEOUT), 600u);
  EXPECT_EQ(service.u32(IPVS_SVC_ATTR_NETMASK), 0xffffffffu);
  const auto wrapped = attributes_of(service.bytes(IPVS_SVC_ATTR_STATS));
  EXPECT_EQ(wrapped.u32(IPVS_STATS_ATTR_CONNS), 0u);
  EXPECT_EQ(wrapped.bytes(IPVS_STATS_ATTR_INBYTES).size(), 8u);
  const auto whole = attributes_of(service.bytes(IPVS_SVC_ATTR_STATS64));
  EXPECT_EQ(whole.bytes(IPVS_STATS_ATTR_CONNS)[4], 1);
  EXPECT_EQ(whole.u32(IPVS_STATS_ATTR_OUTBPS), 10u);
}

TEST_F(NetlinkConversation, a_mark_is_shown_as_one_and_an_engine_by_its_name) {
  director_.listed[0].service.key = ServiceKey::of_mark(Mark{10}, Family::ipv6);
  director_.listed[0].service.persistence_engine = "sip";
  const auto answered = ask(request(
      IPVS_CMD_GET_SERVICE, [](Writer&) {}, kListed));
  const auto service = attributes_of(attributes_of(answered.messages()[0].attributes).bytes(IPVS_CMD_ATTR_SERVICE));
  EXPECT_EQ(service.u16(IPVS_SVC_ATTR_AF), AF_INET6);
  EXPECT_EQ(service.u32(IPVS_SVC_ATTR_FWMARK), 10u);
  EXPECT_FALSE(service.has(IPVS_SVC_ATTR_ADDR));
  EXPECT_EQ(service.text(IPVS_SVC_ATTR_PE_NAME), "sip");
}

TEST_F(NetlinkConversation, destinations_are_listed_with_their_counts_and_end_with_done) {
  const auto answered = ask(request(IPVS_CMD_GET_DEST, of_service(service_name()), kListed));
  const auto messages = answered.messages();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].command, IPVS_CMD_NEW_DEST);
  EXPECT_EQ(messages[0].message.flags, NLM_F_MULTI);
  const auto server = attributes_of(attributes_of(messages[0].attributes).bytes(IPVS_CMD_ATTR_DEST));
  EXPECT_EQ(server.network_u16(IPVS_DEST_ATTR_PORT), 8080);
  EXPECT_EQ(server.u32(IPVS_DEST_ATTR_FWD_METHOD), std::uint32_t{IP_VS_CONN_F_MASQ});
  EXPECT_EQ(server.u32(IPVS_DEST_ATTR_WEIGHT), 3u);
  EXPECT_EQ(server.u32(IPVS_DEST_ATTR_ACTIVE_CONNS), 11u);
  EXPECT_EQ(server.u32(IPVS_DEST_ATTR_INACT_CONNS), 12u);
  EXPECT_EQ(server.u32(IPVS_DEST_ATTR_PERSIST_CONNS), 13u);
  EXPECT_EQ(server.u16(IPVS_DEST_ATTR_ADDR_FAMILY), AF_INET);
  EXPECT_EQ(messages[1].message.type, NLMSG_DONE);
  EXPECT_EQ(messages[1].message.flags, NLM_F_MULTI);
}

TEST_F(NetlinkConversation, destinations_of_an_unknown_service_are_an_empty_list) {
  director_.listed.clear();
  const auto messages = ask(request(IPVS_CMD_GET_DEST, of_service(service_name()), kListed)).messages();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].message.type, NLMSG_DONE);
  EXPECT_EQ(ask(request(IPVS_CMD_GET_SERVICE, of_service(service_name()))).error(), ESRCH);
}

TEST_F(NetlinkConversation, a_long_list_comes_in_datagrams_that_any_buffer_holds_and_keeps_its_order) {
  director_.listed.resize(1);
  for (std::uint16_t port = 1; port < 500; ++port) {
    director_.listed.push_back(director_.listed[0]);
    director_.listed.back().service.key.port = Port{port};
  }
  const auto answered = ask(request(
      IPVS_CMD_GET_SERVICE, [](Writer&) {}, kListed));
  EXPECT_GT(answered.dump.size(), 10u);
  for (const Bytes& datagram : answered.dump) EXPECT_LE(datagram.size(), 3776u);
  const auto messages = answered.messages();
  ASSERT_EQ(messages.size(), 501u);
  for (std::uint16_t i = 1; i < 500; ++i) {
    const auto service = attributes_of(attributes_of(messages[i].attributes).bytes(IPVS_CMD_ATTR_SERVICE));
    EXPECT_EQ(service.network_u16(IPVS_SVC_ATTR_PORT), i);
  }
  EXPECT_EQ(messages.back().message.type, NLMSG_DONE);
}

TEST_F(NetlinkConversation, daemons_timeouts_and_the_version_are_shown) {
  SyncDaemon master;
  master.interface = "eth1";
  master.max_length = 1472;
  SyncDaemon backup = master;
  backup.role = SyncRole::backup;
  backup.group = *Address::parse("ff02::81");
  director_.daemons = {master, backup};
  const auto answered = ask(request(
      IPVS_CMD_GET_DAEMON, [](Writer&) {}, kListed));
  const auto messages = answered.messages();
  ASSERT_EQ(messages.size(), 3u);
  const auto first = attributes_of(attributes_of(messages[0].attributes).bytes(IPVS_CMD_ATTR_DAEMON));
  EXPECT_EQ(first.u32(IPVS_DAEMON_ATTR_STATE), 1u);
  EXPECT_EQ(first.text(IPVS_DAEMON_ATTR_MCAST_IFN), "eth1");
  EXPECT_EQ(first.u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN), 1472);
  EXPECT_EQ(first.u32(IPVS_DAEMON_ATTR_MCAST_GROUP), htonl(0xe0000051));
  const auto second = attributes_of(attributes_of(messages[1].attributes).bytes(IPVS_CMD_ATTR_DAEMON));
  EXPECT_EQ(second.u32(IPVS_DAEMON_ATTR_STATE), 2u);
  EXPECT_EQ(second.bytes(IPVS_DAEMON_ATTR_MCAST_GROUP6).size(), 16u);

  director_.set_timeouts = {1, 2, 3};
  const auto timeouts = ask(request(IPVS_CMD_GET_CONFIG));
  const auto config = attributes_of(timeouts.messages()[0].attributes);
  EXPECT_EQ(timeouts.messages()[0].command, IPVS_CMD_SET_CONFIG);
  EXPECT_THAT((std::vector{config.u32(4), config.u32(5), config.u32(6)}), ElementsAre(1u, 2u, 3u));
  const auto info = ask(request(IPVS_CMD_GET_INFO));
  EXPECT_EQ(info.messages()[0].command, IPVS_CMD_SET_INFO);
  EXPECT_EQ(attributes_of(info.messages()[0].attributes).u32(IPVS_INFO_ATTR_VERSION), 0x010201u);
}

TEST_F(NetlinkConversation, a_file_is_opened_by_its_name_alone) {
  const auto open = [&](std::string name, Rights rights = Rights::all) {
    Writer writer;
    const auto mark = writer.begin_message(LIMPET_IPVS_OPEN, kAcknowledged, 1, 0);
    name += '\0';
    writer.append({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
    writer.end_message(mark);
    return ask(writer.take(), rights);
  };
  EXPECT_EQ(open("ip_vs_conn").answer.file, "ip_vs_conn");
  EXPECT_EQ(open("ip_vs_conn").error(), 0);
  EXPECT_EQ(open("ip_vs_stats_percpu").error(), ENOENT);
  EXPECT_EQ(open("../../etc/shadow").error(), ENOENT);
  EXPECT_EQ(open("").error(), ENOENT);
  EXPECT_EQ(open("ip_vs", Rights::none).error(), EACCES);
  EXPECT_EQ(open("ip_vs", Rights::absent).error(), ENOENT);
}

}  // namespace
}  // namespace limpet::ipvs_netlink
