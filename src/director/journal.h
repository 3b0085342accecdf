// SPDX-License-Identifier: Apache-2.0
// The configuration on disk: one command, or a list of commands that belong together, a line, appended before it is
// applied and synced within a second. An interrupted write costs at most the last line.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "model/command.h"
#include "model/configuration.h"
#include "model/result.h"

namespace limpet {

struct Replay {
  Configuration configuration;
  bool found = false;                 // there was a journal
  std::vector<std::string> problems;  // lines that could not be read or carried out, as sentences for the log
};

// Commands that are to be one line: a crash leaves all of them or none.
class JournalGroup {
 public:
  void add(const Command& command);

 private:
  friend class Journal;
  std::string text_;
};

class Journal {
 public:
  // Reads the journal in `directory`, then starts a new one that holds just the outcome; `otherwise` if there was none.
  // The old file is kept as journal.damaged if a line other than the last could not be read.
  static Result<Journal> open(const std::filesystem::path& directory, Replay& replay,
                              const Configuration& otherwise = {});

  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  // Nothing of a line that could not be written whole is left behind.
  Result<void> append(const Command& command);
  Result<void> append(const JournalGroup& group);
  // Replaces the whole journal: where it holds less than is there.
  Result<void> rewrite(const Configuration& configuration);
  // Brings what was appended to the disk. Call it every second.
  Result<void> sync();

 private:
  // One line, in parts: a long one is not copied to be put together.
  Result<void> append_line(std::initializer_list<std::string_view> parts);
  explicit Journal(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path directory_;
  int fd_ = -1;
  bool dirty_ = false;
  bool torn_ = false;  // it ends in a part of a line
};

}  // namespace limpet
