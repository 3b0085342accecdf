// SPDX-License-Identifier: Apache-2.0
// Runs the firewall tests, which mean nothing without the right to make network namespaces.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!testing::GTEST_FLAG(list_tests) && ::geteuid() != 0) {
    std::fputs("netns_firewall needs root\n", stderr);
    return 1;
  }
  return RUN_ALL_TESTS();
}
