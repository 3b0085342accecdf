// SPDX-License-Identifier: Apache-2.0
// Every command of the family as a value, and every mistake by the errno with which the kernel answers it.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ipvs_netlink/request.h"
#include "unit/ipvs_netlink/messages.h"

namespace limpet::ipvs_netlink {
namespace {

std::optional<Service> nobody(const ServiceKey&) { return std::nullopt; }
std::optional<Service> found(const ServiceKey& key) {
  Service service;
  service.key = key;
  service.scheduler_flags = sched_flag_2;
  return service;
}

Request read(
    std::uint8_t command, const Fill& fill = [](Writer&) {}, const FindService& find = nobody, bool dump = false) {
  // What `fill` writes must live as long as the request is read; afterwards nothing points there.
  const Bytes bytes = request(command, fill);
  return read_request(command, dump, ByteView(bytes).subspan(sizeof(nlmsghdr) + sizeof(genlmsghdr)), find);
}
int refusal(const Request& request) {
  const auto* refused = std::get_if<Refused>(&request);
  return refused == nullptr ? 0 : refused->error;
}
template <class C>
C command_of(const Request& request) {
  EXPECT_EQ(refusal(request), 0);
  const auto* command = std::get_if<Command>(&request);
  if (command == nullptr || !std::holds_alternative<C>(*command)) {
    ADD_FAILURE() << "another command";
    return {};
  }
  return std::get<C>(*command);
}

const ServiceKey kHttp = ServiceKey::of_address(Protocol::tcp, *Address::parse("192.0.2.1"), Port{80});
const DestinationKey kServer{*Address::parse("198.51.100.7"), Port{8080}};

Service persistent_http() {
  Service service;
  service.key = kHttp;
  service.scheduler = "rr";
  service.persistent = true;
  service.timeout = 600;
  service.netmask = htonl(0xffffff00);
  return service;
}

Piece flags(std::uint32_t value, std::uint32_t mask) {
  const ip_vs_flags both_words{value, mask};
  Bytes bytes(sizeof both_words);
  std::memcpy(bytes.data(), &both_words, sizeof both_words);
  return raw(IPVS_SVC_ATTR_FLAGS, bytes);
}

TEST(NetlinkRequest, a_service_is_added_and_edited_with_all_that_is_said_of_it) {
  EXPECT_EQ(command_of<AddService>(read(IPVS_CMD_NEW_SERVICE, of_service(whole_service()))).service, persistent_http());
  EXPECT_EQ(command_of<EditService>(read(IPVS_CMD_SET_SERVICE, of_service(whole_service()))).service,
            persistent_http());
  const auto flagged = with(with(whole_service(), flags(IP_VS_SVC_F_ONEPACKET | IP_VS_SVC_F_SCHED1, ~0U)),
                            text(IPVS_SVC_ATTR_PE_NAME, "sip"));
  const auto service = command_of<AddService>(read(IPVS_CMD_NEW_SERVICE, of_service(flagged))).service;
  EXPECT_TRUE(service.one_packet);
  EXPECT_FALSE(service.persistent);
  EXPECT_EQ(service.timeout, 0u) << "without persistence there is none";
  EXPECT_EQ(service.scheduler_flags, static_cast<std::uint32_t>(sched_flag_1));
  EXPECT_EQ(service.persistence_engine, "sip");
}

TEST(NetlinkRequest, a_service_is_named_by_a_mark_or_by_protocol_address_and_port) {
  const Pieces mark = {u16(IPVS_SVC_ATTR_AF, AF_INET6), u32(IPVS_SVC_ATTR_FWMARK, 4294967295)};
  EXPECT_EQ(command_of<DeleteService>(read(IPVS_CMD_DEL_SERVICE, of_service(mark))).key,
            ServiceKey::of_mark(Mark{4294967295}, Family::ipv6));
  EXPECT_EQ(command_of<DeleteService>(read(IPVS_CMD_DEL_SERVICE, of_service(service_name()))).key, kHttp);
  // A mark wins over an address, a mark of 0 is none.
  EXPECT_EQ(command_of<DeleteService>(
                read(IPVS_CMD_DEL_SERVICE, of_service(with(service_name(), u32(IPVS_SVC_ATTR_FWMARK, 3)))))
                .key,
            ServiceKey::of_mark(Mark{3}));
  const auto nothing = of_service(with(service_name(), u32(IPVS_SVC_ATTR_FWMARK, 0)));
  EXPECT_EQ(command_of<DeleteService>(read(IPVS_CMD_DEL_SERVICE, nothing)).key,
            ServiceKey::of_address(Protocol::tcp, Address(), Port{0}));
}

TEST(NetlinkRequest, flags_that_are_not_meant_stay_as_they_are) {
  const auto some = of_service(with(whole_service(), flags(IP_VS_SVC_F_SCHED1, IP_VS_SVC_F_SCHED1)));
  EXPECT_EQ(command_of<EditService>(read(IPVS_CMD_SET_SERVICE, some, found)).service.scheduler_flags,
            std::uint32_t{sched_flag_1 | sched_flag_2});
  EXPECT_EQ(command_of<AddService>(read(IPVS_CMD_NEW_SERVICE, some, nobody)).service.scheduler_flags,
            static_cast<std::uint32_t>(sched_flag_1));
  const auto few_bytes = of_service(with(whole_service(), raw(IPVS_SVC_ATTR_FLAGS, {1, 0})));
  EXPECT_EQ(command_of<AddService>(read(IPVS_CMD_NEW_SERVICE, few_bytes)).service.persistent, false)
      << "without a mask nothing is meant";
}

TEST(NetlinkRequest, a_service_that_is_not_said_completely_is_invalid) {
  for (const std::uint16_t type : {IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_PORT}) {
    const auto short_name = of_service(without(whole_service(), type));
    EXPECT_EQ(refusal(read(IPVS_CMD_NEW_SERVICE, short_name)), EINVAL) << type;
    EXPECT_EQ(refusal(read(IPVS_CMD_DEL_SERVICE, short_name)), EINVAL) << type;
    EXPECT_EQ(refusal(read(IPVS_CMD_GET_SERVICE, short_name)), EINVAL) << type;
    EXPECT_EQ(refusal(read(IPVS_CMD_ZERO, short_name)), EINVAL) << type;
  }
  for (const std::uint16_t type :
       {IPVS_SVC_ATTR_SCHED_NAME, IPVS_SVC_ATTR_FLAGS, IPVS_SVC_ATTR_TIMEOUT, IPVS_SVC_ATTR_NETMASK}) {
    const auto part = of_service(without(whole_service(), type));
    EXPECT_EQ(refusal(read(IPVS_CMD_NEW_SERVICE, part)), EINVAL) << type;
    EXPECT_EQ(refusal(read(IPVS_CMD_SET_SERVICE, part)), EINVAL) << type;
    EXPECT_EQ(refusal(read(IPVS_CMD_DEL_SERVICE, part)), 0) << "its name is enough";
  }
  for (const std::uint8_t command : {IPVS_CMD_NEW_SERVICE, IPVS_CMD_SET_SERVICE, IPVS_CMD_DEL_SERVICE,
                                     IPVS_CMD_GET_SERVICE, IPVS_CMD_NEW_DEST, IPVS_CMD_SET_DEST, IPVS_CMD_DEL_DEST}) {
    EXPECT_EQ(refusal(read(command)), EINVAL) << "no service at all: command " << int{command};
  }
}

TEST(NetlinkRequest, lengths_are_judged_as_the_kernel_judges_them) {
  const auto adds = [](Piece piece) {
    return refusal(read(IPVS_CMD_NEW_SERVICE, of_service(with(whole_service(), std::move(piece)))));
  };
  EXPECT_EQ(adds(raw(IPVS_SVC_ATTR_AF, {2})), EINVAL);
  EXPECT_EQ(adds(raw(IPVS_SVC_ATTR_AF, {2, 0, 0, 0})), 0) << "longer is taken";
  EXPECT_EQ(adds(raw(IPVS_SVC_ATTR_TIMEOUT, {1, 0, 0})), EINVAL);
  EXPECT_EQ(adds(raw(IPVS_SVC_ATTR_ADDR, Bytes(17))), EINVAL);
  EXPECT_EQ(adds(raw(IPVS_SVC_ATTR_ADDR, {192, 0, 2, 1})), 0) << "shorter is filled with 0";
  EXPECT_EQ(adds(raw(IPVS_SVC_ATTR_FLAGS, Bytes(9))), EINVAL);
  EXPECT_EQ(adds(text(IPVS_SVC_ATTR_SCHED_NAME, "fifteen-letters")), 0);
  EXPECT_EQ(adds(text(IPVS_SVC_ATTR_SCHED_NAME, "sixteen--letters")), EINVAL);
  EXPECT_EQ(adds(raw(IPVS_SVC_ATTR_SCHED_NAME, {'r', 'r'})), EINVAL) << "no end";
  EXPECT_EQ(adds(raw(IPVS_SVC_ATTR_SCHED_NAME, {})), EINVAL);
  EXPECT_EQ(adds(raw(IPVS_SVC_ATTR_STATS, {1})), EINVAL) << "a nest without room for one attribute";
  EXPECT_EQ(adds(raw(IPVS_SVC_ATTR_STATS, {})), 0);
  EXPECT_EQ(adds(raw(99, {1})), 0) << "what is unknown is skipped";
  EXPECT_EQ(adds(raw(0, {1})), 0);

  const auto times = [](Piece piece) { return refusal(read(IPVS_CMD_SET_CONFIG, piece.write)); };
  EXPECT_EQ(times(raw(IPVS_CMD_ATTR_TIMEOUT_TCP, {1, 0, 0})), ERANGE) << "only nests hide why";
  EXPECT_EQ(refusal(read(IPVS_CMD_FLUSH, raw(IPVS_CMD_ATTR_SERVICE, {1}).write)), ERANGE);
}

TEST(NetlinkRequest, families_and_protocols_that_do_not_exist_are_told_apart) {
  const auto family = of_service(with(whole_service(), u16(IPVS_SVC_ATTR_AF, AF_UNIX)));
  EXPECT_EQ(refusal(read(IPVS_CMD_NEW_SERVICE, family)), EAFNOSUPPORT);
  EXPECT_EQ(refusal(read(IPVS_CMD_DEL_SERVICE, family)), EAFNOSUPPORT);
  const auto icmp = of_service(with(whole_service(), u16(IPVS_SVC_ATTR_PROTOCOL, IPPROTO_ICMP)));
  EXPECT_EQ(refusal(read(IPVS_CMD_NEW_SERVICE, icmp)), EPROTONOSUPPORT);
  for (const std::uint8_t command :
       {IPVS_CMD_SET_SERVICE, IPVS_CMD_DEL_SERVICE, IPVS_CMD_GET_SERVICE, IPVS_CMD_ZERO, IPVS_CMD_NEW_DEST}) {
    EXPECT_EQ(refusal(read(command, icmp)), ESRCH) << "there is no such service: command " << int{command};
  }
  const auto six = with(with(whole_service(), u16(IPVS_SVC_ATTR_AF, AF_INET6)),
                        raw(IPVS_SVC_ATTR_ADDR, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(command_of<AddService>(read(IPVS_CMD_NEW_SERVICE, of_service(six))).service.key.to_string(),
            "tcp/[2001:db8::1]:80");
}

TEST(NetlinkRequest, a_destination_is_added_edited_and_deleted) {
  const auto fill = of_service_and_server(service_name(), whole_server());
  const auto add = command_of<AddDestination>(read(IPVS_CMD_NEW_DEST, fill));
  EXPECT_EQ(add.service, kHttp);
  EXPECT_EQ(add.destination.key, kServer);
  EXPECT_EQ(add.destination.method, ForwardingMethod::masq);
  EXPECT_EQ(add.destination.weight, 3u);
  EXPECT_EQ(add.destination.upper_threshold, 9u);
  EXPECT_EQ(add.destination.lower_threshold, 5u);
  EXPECT_EQ(command_of<EditDestination>(read(IPVS_CMD_SET_DEST, fill)).destination, add.destination);
  const auto name = of_service_and_server(service_name(), server_name());
  EXPECT_EQ(command_of<DeleteDestination>(read(IPVS_CMD_DEL_DEST, name)).destination, kServer);

  Pieces tunnel = with(whole_server(), u32(IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_TUNNEL | 0x100));
  for (Piece each :
       {u8(IPVS_DEST_ATTR_TUN_TYPE, 1), u16(IPVS_DEST_ATTR_TUN_PORT, htons(6080)), u16(IPVS_DEST_ATTR_TUN_FLAGS, 2)}) {
    tunnel.push_back(each);
  }
  const auto led = command_of<AddDestination>(read(IPVS_CMD_NEW_DEST, of_service_and_server(service_name(), tunnel)));
  EXPECT_EQ(led.destination.method, ForwardingMethod::tunnel) << "bits beside the method mean nothing";
  EXPECT_EQ(led.destination.tunnel, (Tunnel{TunnelType::gue, Port{6080}, 2}));
}

TEST(NetlinkRequest, a_destination_without_a_family_has_its_services) {
  const auto fill = [](const Pieces& server) { return of_service_and_server(service_name(), server); };
  const auto without_family = without(whole_server(), IPVS_DEST_ATTR_ADDR_FAMILY);
  EXPECT_EQ(command_of<AddDestination>(read(IPVS_CMD_NEW_DEST, fill(without_family))).destination.key, kServer);
  const auto zero = with(whole_server(), u16(IPVS_DEST_ATTR_ADDR_FAMILY, 0));
  EXPECT_EQ(command_of<AddDestination>(read(IPVS_CMD_NEW_DEST, fill(zero))).destination.key, kServer);
  const auto unknown = with(whole_server(), u16(IPVS_DEST_ATTR_ADDR_FAMILY, AF_UNIX));
  EXPECT_EQ(refusal(read(IPVS_CMD_NEW_DEST, fill(unknown), found)), EAFNOSUPPORT);
}

TEST(NetlinkRequest, the_service_is_looked_for_before_its_destination_is_looked_at) {
  for (const std::uint16_t type : {IPVS_DEST_ATTR_ADDR, IPVS_DEST_ATTR_PORT, IPVS_DEST_ATTR_FWD_METHOD,
                                   IPVS_DEST_ATTR_WEIGHT, IPVS_DEST_ATTR_U_THRESH, IPVS_DEST_ATTR_L_THRESH}) {
    const auto part = of_service_and_server(service_name(), without(whole_server(), type));
    EXPECT_EQ(refusal(read(IPVS_CMD_NEW_DEST, part, found)), EINVAL) << type;
    EXPECT_EQ(refusal(read(IPVS_CMD_SET_DEST, part, found)), EINVAL) << type;
    EXPECT_EQ(refusal(read(IPVS_CMD_SET_DEST, part, nobody)), ESRCH) << type;
  }
  EXPECT_EQ(refusal(read(IPVS_CMD_DEL_DEST, of_service(service_name()), found)), EINVAL);
  EXPECT_EQ(refusal(read(IPVS_CMD_DEL_DEST, of_service(service_name()), nobody)), ESRCH);
}

TEST(NetlinkRequest, methods_and_tunnels_that_do_not_exist_are_refused) {
  const auto adds = [](Piece piece) {
    return refusal(read(IPVS_CMD_NEW_DEST, of_service_and_server(service_name(), with(whole_server(), piece)), found));
  };
  EXPECT_EQ(adds(u32(IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_BYPASS)), EOPNOTSUPP);
  EXPECT_EQ(adds(u8(IPVS_DEST_ATTR_TUN_TYPE, 3)), EOPNOTSUPP);
}

TEST(NetlinkRequest, timeouts_that_are_left_out_stay_as_they_are) {
  const auto set = command_of<SetTimeouts>(read(IPVS_CMD_SET_CONFIG, [](Writer& to) {
    to.put_u32(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, 60);
    to.put_u32(IPVS_CMD_ATTR_TIMEOUT_UDP, 70);
  }));
  EXPECT_EQ(set.timeouts, (Timeouts{0, 60, 70}));
  EXPECT_EQ(command_of<SetTimeouts>(read(IPVS_CMD_SET_CONFIG)).timeouts, (Timeouts{0, 0, 0}));
}

TEST(NetlinkRequest, synchronisation_daemons_start_with_what_is_usual_where_it_is_left_out) {
  const auto start = command_of<StartSyncDaemon>(read(IPVS_CMD_NEW_DAEMON, of_daemon(whole_daemon())));
  SyncDaemon expected;
  expected.role = SyncRole::backup;
  expected.interface = "eth1";
  expected.sync_id = 9;
  EXPECT_EQ(start.daemon, expected);

  Pieces all = whole_daemon();
  for (Piece each : {u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, 1000), raw(IPVS_DAEMON_ATTR_MCAST_GROUP, {239, 1, 2, 3}),
                     u16(IPVS_DAEMON_ATTR_MCAST_PORT, 9000), u8(IPVS_DAEMON_ATTR_MCAST_TTL, 4)}) {
    all.push_back(each);
  }
  const auto full = command_of<StartSyncDaemon>(read(IPVS_CMD_NEW_DAEMON, of_daemon(all))).daemon;
  EXPECT_EQ(full.max_length, 1000);
  EXPECT_EQ(full.group.to_string(), "239.1.2.3");
  EXPECT_EQ(full.port, Port{9000});
  EXPECT_EQ(full.ttl, 4);
  EXPECT_EQ(command_of<StopSyncDaemon>(read(IPVS_CMD_DEL_DAEMON, of_daemon(whole_daemon()))).role, SyncRole::backup);
}

TEST(NetlinkRequest, daemons_that_are_not_said_completely_are_invalid) {
  for (const std::uint16_t type : {IPVS_DAEMON_ATTR_STATE, IPVS_DAEMON_ATTR_MCAST_IFN, IPVS_DAEMON_ATTR_SYNC_ID}) {
    EXPECT_EQ(refusal(read(IPVS_CMD_NEW_DAEMON, of_daemon(without(whole_daemon(), type)))), EINVAL) << type;
  }
  for (const std::uint8_t command : {IPVS_CMD_NEW_DAEMON, IPVS_CMD_DEL_DAEMON}) {
    EXPECT_EQ(refusal(read(command)), EINVAL);
    const auto both_roles = with(whole_daemon(), u32(IPVS_DAEMON_ATTR_STATE, 3));
    EXPECT_EQ(refusal(read(command, of_daemon(both_roles))), EINVAL);
  }
  const auto far = with(whole_daemon(), u32(IPVS_DAEMON_ATTR_SYNC_ID, 256));
  EXPECT_EQ(refusal(read(IPVS_CMD_NEW_DAEMON, of_daemon(far))), EINVAL);
}

TEST(NetlinkRequest, zero_and_flush_need_no_service) {
  EXPECT_FALSE(command_of<Zero>(read(IPVS_CMD_ZERO)).service.has_value());
  EXPECT_EQ(command_of<Zero>(read(IPVS_CMD_ZERO, of_service(service_name()))).service, kHttp);
  (void)command_of<Flush>(read(IPVS_CMD_FLUSH));
}

TEST(NetlinkRequest, lists_are_of_services_destinations_and_daemons_and_their_mistakes_make_them_empty) {
  const auto list = [](
                        std::uint8_t command, const Fill& fill = [](Writer&) {}) {
    return read(command, fill, nobody, true);
  };
  EXPECT_TRUE(std::holds_alternative<ListServices>(list(IPVS_CMD_GET_SERVICE)));
  EXPECT_TRUE(std::holds_alternative<ListDaemons>(list(IPVS_CMD_GET_DAEMON)));
  const auto of = [&](const Fill& fill) { return std::get<ListDestinations>(list(IPVS_CMD_GET_DEST, fill)).service; };
  EXPECT_EQ(of(of_service(service_name())), kHttp);
  EXPECT_EQ(of([](Writer&) {}), std::nullopt);
  EXPECT_EQ(of(of_service(without(service_name(), IPVS_SVC_ATTR_AF))), std::nullopt);
  EXPECT_EQ(of(of_service(with(service_name(), u16(IPVS_SVC_ATTR_PROTOCOL, 1)))), std::nullopt);
  EXPECT_EQ(of(raw(IPVS_CMD_ATTR_SERVICE, {1}).write), std::nullopt);
}

TEST(NetlinkRequest, what_is_only_listed_or_never_listed_is_not_supported_the_other_way) {
  const auto list = [](std::uint8_t command) {
    return refusal(read(
        command, [](Writer&) {}, nobody, true));
  };
  for (const std::uint8_t command : Bytes{IPVS_CMD_NEW_SERVICE, IPVS_CMD_GET_INFO, IPVS_CMD_FLUSH, 0, 200}) {
    EXPECT_EQ(list(command), EOPNOTSUPP) << int{command};
  }
  for (const std::uint8_t command : Bytes{IPVS_CMD_GET_DEST, IPVS_CMD_GET_DAEMON, IPVS_CMD_SET_INFO, 0, 18, 255}) {
    EXPECT_EQ(refusal(read(command)), EOPNOTSUPP) << int{command};
  }
  EXPECT_TRUE(std::holds_alternative<ShowInfo>(read(IPVS_CMD_GET_INFO)));
  EXPECT_TRUE(std::holds_alternative<ShowTimeouts>(read(IPVS_CMD_GET_CONFIG)));
  EXPECT_EQ(std::get<ShowService>(read(IPVS_CMD_GET_SERVICE, of_service(service_name()))).key, kHttp);
}

}  // namespace
}  // namespace limpet::ipvs_netlink
