// SPDX-License-Identifier: Apache-2.0
// A service's life in one line, as it was also played to a real kernel's ip_vs: who was chosen is compared.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fixture.h"

namespace limpet::packet {

// Steps, separated by blanks; servers are 1, 2, 3, destinations (virtual addresses) and clients are numbers:
//   a1=W[,X[,Y]]  e1=W[,X[,Y]]  d1     ipvsadm -a, -e, -d of server 1 with -w W -x X -y Y
//   E:-s_wlc_-p_300                    ipvsadm -E
//   S:lblcr_expiration=2               a setting
//   o0  o3  o3.7                       a TCP connection that stays open: to the VIP; to 10.9.0.3; from client 7
//   u0  u3  u3.7                       a datagram
//   c4                                 the fourth of these connections is closed by its client
//   w                                  2.6 seconds pass: those that were closed, and UDP's, have ended
class Steps : public PacketTest {
 protected:
  // "-t 192.168.2.11:80", "-u 192.168.2.11:80" or "-f 7"; "-s rr -p 300 -o". Returns a character for each connection
  // and datagram: the server's number, or - for none.
  std::string play(const std::string& service, const std::string& options, const std::string& steps);

 private:
  struct Opened {
    std::string client;
    std::uint16_t port;
    std::string address;
  };

  // Where rr or wrr stands.
  struct Place {
    std::uint32_t index = LIMPET_CURSOR_HEAD;
    std::uint32_t value = 0;
  };

  void set_options(const std::string& options);
  void set(const std::string& assignment);
  void edit(char kind, const std::string& step);
  Place place() const;
  Place after_edit(Place place, const std::vector<std::uint32_t>& before) const;
  void go_on(Place from);
  char open(std::uint8_t protocol, const std::string& step);
  void close(const Opened& opened);
  void wait();

  Service* service_ = nullptr;
  std::map<int, std::uint32_t> ids_;  // by the servers' numbers
  std::vector<Opened> opened_;
  Place begin_;  // of the published generation
};

}  // namespace limpet::packet
