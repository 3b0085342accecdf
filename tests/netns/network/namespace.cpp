// SPDX-License-Identifier: Apache-2.0
// What the tests need of a network namespace.
#include "namespace.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace limpet::network::test {
namespace {

constexpr int kSecond = 1000;
constexpr int kQuiet = 250;

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what + ": " + std::strerror(errno));
}

bool ready(int descriptor, short events, int milliseconds) {
  pollfd wait{.fd = descriptor, .events = events, .revents = 0};
  return ::poll(&wait, 1, milliseconds) == 1;
}

int new_namespace() {
  require(::unshare(CLONE_NEWNET) == 0, "making a network namespace (needs root)");
  run("ip link set lo up");
  return ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

sockaddr_in socket_address(const std::string& address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  require(::inet_pton(AF_INET, address.c_str(), &result.sin_addr) == 1, address);
  return result;
}

const sockaddr* generic(const void* address) { return static_cast<const sockaddr*>(address); }

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Namespace::Namespace() : descriptor_(new_namespace()) {}

void Namespace::enter() const { require(::setns(descriptor_.get(), CLONE_NEWNET) == 0, "entering a namespace"); }

std::string Namespace::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_.get());
}

std::string run(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  require(pipe != nullptr, command);
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), size);
  if (::pclose(pipe) != 0) throw std::runtime_error(command + " failed: " + text);
  return text;
}

bool succeeds(const std::string& command) {
  try {
    run(command);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

Descriptor tcp_listener(const std::string& address, std::uint16_t port) {
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in self = socket_address(address, port);
  require(::bind(listener.get(), generic(&self), sizeof self) == 0, "bind");
  require(::listen(listener.get(), 8) == 0, "listen");
  return listener;
}

Descriptor start_tcp_connection(const std::string& address, std::uint16_t port) {
  Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in server = socket_address(address, port);
  const int started = ::connect(client.get(), generic(&server), sizeof server);
  require(started == 0 || errno == EINPROGRESS, "connect");
  return client;
}

bool is_accepted(const Descriptor& listener) { return ready(listener.get(), POLLIN, kSecond); }

bool transfers(const Descriptor& listener, const Descriptor& client, std::size_t bytes) {
  if (!is_accepted(listener)) return false;
  const Descriptor server(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  std::vector<char> piece(65536);
  std::size_t sent = 0;
  std::size_t received = 0;
  while (received < bytes) {
    const std::size_t wanted = std::min(piece.size(), bytes - sent);
    if (const ssize_t size = ::send(client.get(), piece.data(), wanted, MSG_NOSIGNAL); size > 0) {
      sent += static_cast<std::size_t>(size);
    }
    if (!ready(server.get(), POLLIN, kSecond)) return false;
    const ssize_t size = ::recv(server.get(), piece.data(), piece.size(), 0);
    if (size <= 0) return false;
    received += static_cast<std::size_t>(size);
  }
  return true;
}

Listener::Listener(const std::string& interface)
    : descriptor_(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_IP))) {
  sockaddr_ll self{};
  self.sll_family = AF_PACKET;
  self.sll_protocol = htons(ETH_P_IP);
  self.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  require(self.sll_ifindex != 0, interface);
  require(::bind(descriptor_.get(), generic(&self), sizeof self) == 0, "bind to " + interface);
}

int Listener::packets_to(const std::string& address) {
  const in_addr wanted = socket_address(address, 0).sin_addr;
  int count = 0;
  while (ready(descriptor_.get(), POLLIN, kQuiet)) {
    iphdr header{};
    sockaddr_ll sender{};
    socklen_t size = sizeof sender;
    void* from = &sender;
    const ssize_t length =
        ::recvfrom(descriptor_.get(), &header, sizeof header, MSG_TRUNC, static_cast<sockaddr*>(from), &size);
    if (length < static_cast<ssize_t>(sizeof header) || sender.sll_pkttype != PACKET_HOST) continue;
    if (header.daddr == wanted.s_addr) ++count;
  }
  return count;
}

}  // namespace limpet::network::test
