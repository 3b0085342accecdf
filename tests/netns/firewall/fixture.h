// SPDX-License-Identifier: Apache-2.0
// A director's network namespace in which clients arrive on eth0, and the words to set its firewall up.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace limpet::network {

class FirewallTest : public testing::Test {
 protected:
  /// Enters a new, empty namespace with eth0, eth1 and limpet0, where marked packets have a free way.
  void SetUp() override;

  /// A shell command in the namespace; it must succeed.
  static void run(const std::string& command);
  /// A ruleset in nft's own language.
  static void nft(const std::string& ruleset);
  static void set_sysctl(const std::string& interface, const std::string& key, int value);

  /// What is found for clients on eth0.
  static std::vector<std::string> hazards(const std::vector<std::string>& ingress = {"eth0"});
  /// Does what the only hazard advises between its first backquotes.
  static void follow_the_advice();
};

}  // namespace limpet::network
