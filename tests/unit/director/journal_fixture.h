// SPDX-License-Identifier: Apache-2.0
// A journal in a directory of its own, and commands to put into it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "director/journal.h"
#include "unit/director/temporary_directory.h"

namespace limpet {

inline ServiceKey service_key(const std::string& name) { return *ServiceKey::parse(name); }

inline Service service(const std::string& name) {
  Service result;
  result.key = service_key(name);
  if (result.key.family == Family::ipv6) result.netmask = 128;
  return result;
}

inline DestinationKey server_key(const std::string& endpoint) {
  const auto parsed = *endpoint_from_string(endpoint);
  return {parsed.address, parsed.port};
}

inline Destination server(const std::string& endpoint, std::uint32_t weight = 1) {
  Destination result;
  result.key = server_key(endpoint);
  result.weight = weight;
  return result;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class JournalTest : public testing::Test {
 protected:
  std::filesystem::path directory() const { return temporary_.path(); }
  std::filesystem::path file() const { return directory() / "journal"; }
  std::filesystem::path damaged() const { return directory() / "journal.damaged"; }

  // As limpetd does at its start; what was in the file is then in `replay`.
  void open() {
    close();
    auto opened = Journal::open(directory(), replay);
    ASSERT_TRUE(opened) << opened.error().text;
    journal.emplace(std::move(*opened));
  }
  void close() { journal.reset(); }

  // As limpetd carries a command out: checked, written, applied.
  void run(const Command& command) {
    const auto fine = expected.check(command);
    ASSERT_TRUE(fine) << fine.error().text;
    const auto written = journal->append(command);
    ASSERT_TRUE(written) << written.error().text;
    expected.apply(command);
  }

  void append(JournalGroup& group) {
    auto whole = journal->append_piece(group);
    while (whole && !*whole) whole = journal->append_piece(group);
    ASSERT_TRUE(whole) << whole.error().text;
  }

  Replay replay;
  std::optional<Journal> journal;
  Configuration expected;

 private:
  TemporaryDirectory temporary_;
};

}  // namespace limpet
