// SPDX-License-Identifier: Apache-2.0
// Persistence templates on disk, for what the tables do not survive: a reboot, `limpet unload`. While limpetd runs, a
// snapshot is written whenever templates have changed, piece by piece beside everything else, and put in place of the
// former one when it is whole.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "director/template_codec.h"
#include "model/result.h"
#include "model/template_record.h"

namespace limpet {

class TemplateSnapshot {
 public:
  // The next templates, about as many as asked for or none of them; nullopt: that was all.
  using Source = std::function<std::optional<std::vector<TemplateRecord>>(std::size_t)>;

  explicit TemplateSnapshot(std::filesystem::path state_directory) : directory_(std::move(state_directory)) {}
  TemplateSnapshot(const TemplateSnapshot&) = delete;
  TemplateSnapshot& operator=(const TemplateSnapshot&) = delete;
  ~TemplateSnapshot();

  // Gives `visit` the templates of the snapshot, a block at a time, and says what was damaged. Nothing there is nothing
  // damaged. Errors: the file is there and cannot be read; what could be read of it has been given.
  Result<SnapshotDamage> read(std::chrono::system_clock::time_point now, const TemplateDecoder::Visit& visit) const;

  // Begins a new snapshot. Precondition: !is_busy().
  Result<void> begin(Source source);
  bool is_busy() const { return fd_ >= 0 || syncing_.valid(); }
  // Goes on with it for about `budget`; never waits for the disk. After an error the former snapshot is still there,
  // and a new one may begin.
  Result<void> step(std::chrono::microseconds budget);
  // All of it at once, begun or not, and on the disk when it returns.
  Result<void> write_all(Source source);

 private:
  Result<void> write(const std::string& bytes);
  Result<bool> write_piece();  // false: that was the last
  void abandon();

  std::filesystem::path directory_;
  Source source_;
  TemplateEncoder encoder_;
  int fd_ = -1;
  std::future<Result<void>> syncing_;  // fsync and rename: they may take long, so a thread of their own does them
};

}  // namespace limpet
