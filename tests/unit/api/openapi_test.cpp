// SPDX-License-Identifier: Apache-2.0
// docs/openapi.yaml and the route table name the same paths and methods.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "api/routes.h"
#include "api/server.h"

namespace limpet::api {
namespace {

using Operations = std::set<std::string>;  // "GET /v1/services"

// The tree's root, above this file.
std::filesystem::path document_path() {
  return std::filesystem::path(__FILE__).parent_path() / "../../../docs/openapi.yaml";
}

// The lines of `paths:` are indented by two for a path and by four for a method: enough for a scan without a library.
Operations documented() {
  const Operations methods = {"get:", "put:", "post:", "delete:", "patch:", "head:", "options:"};
  Operations operations;
  std::ifstream file(document_path());
  std::string path;
  for (std::string line; std::getline(file, line) && line != "components:";) {
    if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
    if (line.starts_with("    ") && methods.contains(line.substr(4))) {
      std::string method = line.substr(4, line.size() - 5);
      std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::toupper(c); });
      operations.insert(method + " " + path);
    }
  }
  return operations;
}

Operations served() {
  Operations operations;
  for (const Route& route : routes()) operations.insert(std::string(route.method) + " " + std::string(route.path));
  return operations;
}

TEST(OpenApi, describes_every_route_and_no_other) {
  EXPECT_EQ(documented(), served());
  EXPECT_EQ(served().size(), routes().size());
}

TEST(OpenApi, every_route_is_reached_by_its_own_path) {
  for (const Route& route : routes()) {
    std::string path(route.path);
    if (const auto at = path.find("{service}"); at != std::string::npos) path.replace(at, 9, "tcp%2F192.0.2.1:80");
    if (const auto at = path.find("{destination}"); at != std::string::npos) path.replace(at, 13, "10.0.0.1:80");
    EXPECT_EQ(match_route(route.method, path).route, &route) << path;
  }
}

TEST(OpenApi, only_reading_needs_no_network_namespace) {
  for (const Route& route : routes()) EXPECT_EQ(route.changes, route.method != "GET") << route.path;
}

}  // namespace
}  // namespace limpet::api
