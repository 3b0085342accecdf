// SPDX-License-Identifier: Apache-2.0
// The conversation over a table in memory.
#include "fuzz/netlink_target.h"

#include <linux/netlink.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "ipvs_netlink/conversation.h"
#include "ipvs_netlink/proc_text.h"
#include "unit/ipvs_netlink/messages.h"
#include "unit/ipvs_netlink/table_director.h"

namespace limpet::fuzz {
namespace {

using namespace ipvs_netlink;

[[noreturn]] void complain(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// A table with something in it to be changed by mistake.
Configuration furnished() {
  TableDirector director;
  Service service;
  service.key = ServiceKey::of_address(Protocol::tcp, *Address::parse("192.0.2.1"), Port{80});
  (void)director.execute(AddService{service});
  Destination server;
  server.key = {*Address::parse("198.51.100.7"), Port{8080}};
  (void)director.execute(AddDestination{service.key, server});
  service.key = ServiceKey::of_mark(Mark{10}, Family::ipv6);
  service.netmask = 128;
  (void)director.execute(AddService{service});
  return director.configuration;
}

// Every datagram is whole messages with the question's number. Returns whether one of them is a refusal.
bool check(const Bytes& datagram, const Message& question) {
  bool refused = false;
  std::size_t length = 0;
  for (const Seen& seen : messages_of(datagram)) {
    if (seen.message.sequence != question.sequence) complain("an answer has another number than its question");
    length += (seen.message.whole.size() + 3) / 4 * 4;
    refused = refused || (seen.message.type == NLMSG_ERROR && seen.error != 0);
  }
  if (length != datagram.size()) complain("an answer is not made of whole messages");
  return refused;
}

void answer_message(TableDirector& director, const Message& message) {
  const Configuration before = director.configuration;
  auto answered = answer(director, Rights::all, message);
  bool refused = false;
  for (const Bytes& each : answered.datagrams) refused = check(each, message) || refused;
  if (answered.dump) {
    while (const auto piece = answered.dump->next()) (void)check(*piece, message);
  }
  if (!answered.file.empty() && !is_proc_file(answered.file)) complain("a file that is none");
  if (refused && !(director.configuration == before)) complain("a message was refused and has changed the table");
}

}  // namespace

void answer_datagram(std::span<const std::uint8_t> bytes) {
  static const Configuration before = furnished();
  TableDirector director;
  director.configuration = before;
  ByteView datagram = bytes;
  while (const auto message = next_message(datagram)) answer_message(director, *message);
}

}  // namespace limpet::fuzz
