// SPDX-License-Identifier: Apache-2.0
// What a real kernel's ip_vs chose by its schedulers that hash, through edits, as recorded with Linux' IPVS.
#include <map>
#include <sstream>

#include "fixture.h"

namespace limpet::packet {
namespace {

// SCHEDULER|FLAGS|OPTIONS|STEPS. A step is a command: aN:W adds server N with weight W, eN:W gives it another one, dN
// deletes it, b:FLAGS and s:SCHEDULER edit the service; or 24 connections, from that source port up, and the servers
// that took them (-: refused): i from 24 addresses, o from one, m from one to 24 addresses with a firewall mark.
const char* const kRecordedHashing[] = {
    "sh|-|-|a1:1 a2:2 a3:3 o30000=333333333333333333333333",
    "sh|-|-|a1:1 a2:2 a3:3 i30000=333132332323212132323313",
    "sh|-|-|a1:1 a2:2 a3:3 m30000=333333333333333333333333",
    "dh|-|-|a1:1 a2:2 a3:3 o30000=111111111111111111111111",
    "dh|-|-|a1:1 a2:2 a3:3 i30000=111111111111111111111111",
    "dh|-|-|a1:1 a2:2 a3:3 m30000=132123312122313132321212",
    "mh|-|-|a1:1 a2:2 a3:3 o30000=333333333333333333333333",
    "mh|-|-|a1:1 a2:2 a3:3 i30000=231223223331333112221331",
    "mh|-|-|a1:1 a2:2 a3:3 m30000=333333333333333333333333",
    "sh|sh-port|-|a1:1 a2:2 a3:3 o30000=323333232332323212132323",
    "sh|sh-port|-|a1:3 a2:0 a3:1 i30000=11111111111----333331311",
    "sh|sh-fallback|-|a1:1 a2:2 a3:3 o30000=333333333333333333333333",
    "sh|sh-fallback|-|a1:3 a2:0 a3:1 i30000=111311131313131311111111",
    "sh|sh-fallback,sh-port|-|a1:1 a2:2 a3:3 o30000=323333232332323212132323",
    "sh|sh-fallback,sh-port|-|a1:3 a2:0 a3:1 i30000=111111111111111333331311",
    "sh|-|-|a1:3 a2:0 a3:1 i30000=1-131-1313131313111111-1",
    "sh|-|-|a1:1 a2:1 a3:1 i30000=132123212121313132323212",
    "mh|mh-port|-|a1:1 a2:2 a3:3 o30000=331231231313332222223223",
    "mh|mh-port|-|a1:3 a2:0 a3:1 i30000=111311111111133131111111",
    "mh|mh-fallback|-|a1:1 a2:2 a3:3 o30000=333333333333333333333333",
    "mh|mh-fallback|-|a1:3 a2:0 a3:1 i30000=111111311111111113311331",
    "mh|mh-fallback,mh-port|-|a1:1 a2:2 a3:3 o30000=331231231313332222223223",
    "mh|mh-fallback,mh-port|-|a1:3 a2:0 a3:1 i30000=111311111111133131111111",
    "mh|-|-|a1:3 a2:0 a3:1 i30000=111111311111111113311331",
    "mh|-|-|a1:1 a2:1 a3:1 i30000=231223221311333112221331",
    "dh|-|-|a1:1 a2:1 a3:1 m30000=132123312122313132321212",
    "dh|-|-|a1:3 a2:0 a3:1 m30000=13-1-331-1--31313-3-1-1-",
    "dh|-|-|a1:1 a2:2 a3:3 m30000=132123312122313132321212 d2 m31000=331111333331111133331111 a2:0 "
    "m32000=1-313--13133-1-1-3-31313 e2:4 m33000=123132213133212123231313 e1:0 m34000=-23-322-3-332-2-2323-3-3",
    "sh|-|-|a1:1 a2:2 a3:3 i30000=333132332323212132323313 d2 i31000=331313133333313133333313 a2:5 "
    "i32000=122322332132212222233213 e1:0 i33000=-22322332-322-22222332-3 e1:7 i34000=131313131313131312121212",
    "sh|-|-|a1:100 a2:100 a3:100 i30000=132321321323213213232132 e3:1 i31000=221213212212122122121221 e2:300 "
    "i32000=222222222222222222222222",
    "sh|sh-port|-|a1:1 a2:2 a3:3 o30000=323333232332323212132323 e3:0 o31000=-212121-2-212121-2-21212 b:- "
    "o32000=222222222222222222222222 b:sh-fallback,sh-port o33000=222221212222221212122221",
    "sh|sh-fallback|-|a1:1 a2:0 a3:3 i30000=133333333333333331313131 e3:0 i31000=111111111111111111111111 e1:0 "
    "i32000=------------------------ e2:40 i33000=222222222222222222222222",
    "sh|flag-3|-|a1:1 a2:2 a3:3 i30000=333132332323212132323313",
    "sh|-|-p 300 -M 255.255.255.252|a1:1 a2:2 a3:3 i30000=333111133333333111122223 e1:0 "
    "i31000=333111133333333111122223 d3 i32000=-221111-222-222111122222",
    "sh|sh-port|-p 300|a1:1 a2:2 a3:3 o30000=333333333333333333333333 i31000=331133331222333312333112",
    "mh|-|-|a1:1 a2:2 a3:3 i30000=231223223331333112221331 d2 i31000=331333333331333113331331 a2:5 "
    "i32000=231223223322333212221231 e1:0 i33000=23-2232233223332-222-23- e1:7 i34000=231221221111111112221231",
    "mh|-|-|a1:0 a2:0 a3:0 i30000=------------------------ e2:5 i31000=222222222222222222222222 e2:0 "
    "i32000=------------------------ e1:1 i33000=--1-----1-------1---1--1",
    "mh|-|-|a1:100 a2:7 a3:65 i30000=131111311111333113331331 e3:0 i31000=1-1111-11111---11---1--1 d3 "
    "i32000=111111211111111112111111 a3:0 i33000=111111211111111112111111 e3:64 i34000=131111311111333113331331",
    "mh|mh-port|-|a1:1 a2:2 a3:3 o30000=331231231313332222223223 e3:0 o31000=-2--22--2---2--121--21-- b:- "
    "o32000=------------------------ b:mh-fallback,mh-port o33000=222221212222122212122211",
    "mh|mh-fallback|-|a1:1 a2:0 a3:3 i30000=331333333331333113331331 e3:0 i31000=111111111111111111111111 e1:0 "
    "i32000=------------------------ e2:40 i33000=222222222222222222222222",
    "mh|-|-p 300 -M 255.255.255.252|a1:1 a2:2 a3:3 i30000=222222222221111111122221 e1:0 "
    "i31000=222222222221111111122221",
    "mh|mh-port|-|a1:1 a2:2 a3:3 m30000=211233333133313223233233",
    "mh|-|-|a1:2147483647 a2:1 a3:65535 i30000=111111111111111112111111",
    "sh|flag-2|-|a1:2 a2:1 a3:1 m30000=213132121213132121213131 s:dh m31000=132123312122313132321212 s:mh "
    "m32000=121322212322213113111321 b:- m33000=111111111111111111111111",
    "sh|-|-|a1:2147483647 a2:1 a3:5 i30000=111211111111111111111111 e1:0 i31000=33322233333-2233333--233",
    "rr|flag-1|-|a1:1 a2:1 a3:1 i30000=321321321321321321321321",
};

std::uint32_t flags_of(const std::string& text) {
  const std::map<std::string, std::uint32_t> known = {{"sh-fallback", LIMPET_SERVICE_FALLBACK},
                                                      {"mh-fallback", LIMPET_SERVICE_FALLBACK},
                                                      {"flag-1", LIMPET_SERVICE_FALLBACK},
                                                      {"flag-2", LIMPET_SERVICE_HASH_PORT},
                                                      {"sh-port", LIMPET_SERVICE_HASH_PORT},
                                                      {"mh-port", LIMPET_SERVICE_HASH_PORT},
                                                      {"flag-3", 0x20},
                                                      {"-", 0}};
  std::uint32_t flags = 0;
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, ',');) flags |= known.at(name);
  return flags;
}

limpet_scheduler scheduler_of(const std::string& name) {
  const std::map<std::string, limpet_scheduler> known = {
      {"rr", LIMPET_RR}, {"dh", LIMPET_DH}, {"sh", LIMPET_SH}, {"mh", LIMPET_MH}};
  return known.at(name);
}

// One recorded line, played to the data plane.
class HashingRecordedByTheKernel : public PacketTest, public testing::WithParamInterface<const char*> {
 protected:
  void begin(std::istringstream& line) {
    std::string scheduler, flags, options;
    std::getline(line, scheduler, '|');
    std::getline(line, flags, '|');
    std::getline(line, options, '|');
    ServiceSpec spec =
        std::string(GetParam()).find(" m") == std::string::npos ? tcp_service(kVip, 80) : mark_service(7);
    spec.scheduled(scheduler_of(scheduler), flags_of(flags));
    std::istringstream words(options);
    for (std::string word; words >> word;) {
      if (word == "-p" && words >> word) spec.persistent(static_cast<std::uint32_t>(std::stoul(word)));
      if (word == "-M" && words >> word) spec.masked(word);
    }
    service_ = &tables.add(spec);
  }

  void play(const std::string& step) {
    const char number = step[1];
    const std::string value = step.substr(step.find_first_of(":=") + 1);
    switch (step[0]) {
      case 'a':
        // ipvsadm's default for the port: the service's.
        servers_[number] = tables.add_server(
            *service_, route("192.168.2." + std::string(1, static_cast<char>(number + 1)) + "0", service_->spec.port)
                           .weight(weight(value)));
        break;
      case 'e':
        tables.weigh(*service_, servers_[number], weight(value));
        break;
      case 'd':
        tables.remove_server(*service_, servers_[number]);
        break;
      case 'b':
        service_->spec.scheduler_flags = flags_of(value);
        tables.publish(*service_);
        break;
      case 's':
        service_->spec.scheduler = scheduler_of(value);
        tables.publish(*service_);
        break;
      default:
        EXPECT_EQ(servers_of_connections(step[0], std::stoi(step.substr(1))), value) << step;
    }
  }

 private:
  static std::uint32_t weight(const std::string& text) { return static_cast<std::uint32_t>(std::stoul(text)); }

  std::string servers_of_connections(char kind, int port) {
    std::string chosen;
    for (int i = 0; i < 24; i++) {
      const std::string client = kind == 'i' ? "10.1.0." + std::to_string(101 + i) : "10.1.0.1";
      chosen += server_of(client, static_cast<std::uint16_t>(port + i),
                          kind == 'm' ? "10.9.0." + std::to_string(1 + i) : kVip, kind == 'm' ? 7 : 0);
    }
    return chosen;
  }

  char server_of(const std::string& client, std::uint16_t port, const std::string& to, std::uint32_t mark) {
    run(mark == 0 ? Door::kTc : Door::kMark, packet().from(client, port).to(to, 80).tcp(kSyn), mark);
    const auto flow = tables.flow(flow_key(client, port, to, 80));
    for (const auto& [number, id] : servers_)
      if (flow && flow->destination == id) return number;
    return '-';
  }

  Service* service_ = nullptr;
  std::map<char, std::uint32_t> servers_;
};

INSTANTIATE_TEST_SUITE_P(Sequences, HashingRecordedByTheKernel, testing::ValuesIn(kRecordedHashing));

TEST_P(HashingRecordedByTheKernel, connections_go_to_the_same_servers) {
  std::istringstream line(GetParam());
  begin(line);
  for (std::string step; line >> step;) play(step);
}

}  // namespace
}  // namespace limpet::packet
