// SPDX-License-Identifier: Apache-2.0
// Network namespaces without names, which end with the test; commands, sockets and a listener on an interface in them.
#pragma once

#include <cstdint>
#include <string>

namespace limpet::network::test {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor();
  int get() const { return number_; }

 private:
  int number_;
};

// The loopback is up. Making one enters it.
class Namespace {
 public:
  Namespace();
  void enter() const;
  std::string path() const;  // for `ip link set ... netns PATH`

 private:
  Descriptor descriptor_;
};

// By the shell, in the namespace entered last. run() throws with the command's output when it fails.
std::string run(const std::string& command);
bool succeeds(const std::string& command);

// Made in the namespace entered last and working from any; addresses as text. Failure throws.
Descriptor tcp_listener(const std::string& address, std::uint16_t port);
Descriptor start_tcp_connection(const std::string& address, std::uint16_t port);
bool is_accepted(const Descriptor& listener);                                             // within a second
bool transfers(const Descriptor& listener, const Descriptor& client, std::size_t bytes);  // client to listener

// Hears the IPv4 packets that come in on an interface, from its making on.
class Listener {
 public:
  explicit Listener(const std::string& interface);
  // How many for this destination, heard since the last call or arriving within a quarter of a second.
  int packets_to(const std::string& address);

 private:
  Descriptor descriptor_;
};

}  // namespace limpet::network::test
