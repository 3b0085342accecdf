// SPDX-License-Identifier: Apache-2.0
// The configuration on disk: one command, or a list of commands that belong together, a line, appended before it is
// applied and synced within a second. An interrupted write costs at most the last line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
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
  std::size_t written_ = 0;
  std::size_t commands_ = 0;
};

class Journal {
 public:
  // Reads the journal in `directory`, then starts a new one that holds just the outcome; `otherwise` if there was none.
  // The old file is kept as journal.damaged if a line other than the last could not be read. One that cannot be
  // replaced goes on as it is, and the problems say so.
  static Result<Journal> open(const std::filesystem::path& directory, Replay& replay,
                              const Configuration& otherwise = {});

  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  // Nothing of a line that could not be written whole is left behind.
  Result<void> append(const Command& command);
  // A piece of a group's line, at most a few milliseconds' work; true: that was the last. A command that is appended
  // meanwhile takes away what is there of the line, and it begins anew.
  Result<bool> append_piece(JournalGroup& group);
  bool is_busy_with_another(const JournalGroup& group) const { return open_ != nullptr && open_ != &group; }
  void give_up(const JournalGroup& group);
  // Replaces the whole journal: where it holds less than is there.
  Result<void> rewrite(const Configuration& configuration);
  // Rewrites it when most of what it holds has been overtaken: a server whose weight changes every second must not fill
  // the disk, and a long restore is no reason. Call it now and then. After an error the old journal goes on, and the
  // next attempt waits.
  Result<void> compact(const Configuration& configuration);
  // Has what was appended brought to the disk, which it does not wait for. Call it every second. Errors: the last time
  // it could not be.
  Result<void> sync();

 private:
  bool go_on_with(const std::string& text);
  Result<void> append_text(std::string_view text);
  void close_group();
  // An end that the journal can be cut back to, and whether the last line before it is whole.
  struct Place {
    std::int64_t offset = 0;
    bool torn = false;
  };
  Place end() const;
  bool cut(const Place& place);  // false: the kernel refuses, and a part of a line stays
  explicit Journal(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path directory_;
  int fd_ = -1;
  bool dirty_ = false;
  std::future<Result<void>> syncing_;  // a busy disk takes its time, so a thread of its own waits for it
  std::uint64_t appended_ = 0;         // bytes since it was rewritten
  std::uint64_t appended_commands_ = 0;
  std::uint64_t compact_at_ = 0;
  bool torn_ = false;                   // it ends in a part of a line
  const JournalGroup* open_ = nullptr;  // whose line is being written
  Place open_begin_;                    // where
};

}  // namespace limpet
