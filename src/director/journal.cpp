// SPDX-License-Identifier: Apache-2.0
// The configuration on disk.
#include "director/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "json/json.h"

namespace limpet {
namespace {

constexpr const char* kJournalName = "journal";
constexpr const char* kFreshName = "journal.new";
constexpr std::uint64_t kWorthCompacting = 1 << 20;  // bytes of appended lines
constexpr std::uint64_t kOvertaken = 4;              // appended commands for each that is worth keeping

std::string line_of(const Command& command) { return json_codec::command_to_text(command) + "\n"; }

// Whole, or an error.
Result<void> write_all(int fd, std::string_view text, const std::filesystem::path& directory, const char* name) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = ::write(fd, text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot write " + (directory / name).string(), errno);
    written += static_cast<std::size_t>(n);
  }
  return {};
}

// Closes it.
Result<void> bring_to_disk(int fd) {
  const int failure = ::fdatasync(fd) != 0 ? errno : 0;
  ::close(fd);
  if (failure != 0) return system_error("cannot bring the journal to the disk", failure);
  return {};
}

// Nothing: there is no such file. Whatever else keeps it from being read is an error, since the journal that follows
// replaces the file.
Result<std::optional<std::string>> text_in(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::optional<std::string>();
  if (fd < 0) return system_error("cannot read " + path.string(), errno);
  std::string text;
  std::array<char, 65536> block;
  ssize_t n = 0;
  while ((n = ::read(fd, block.data(), block.size())) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) text.append(block.data(), static_cast<std::size_t>(n));
  const int failure = n < 0 ? errno : 0;
  ::close(fd);
  if (failure != 0) return system_error("cannot read " + path.string(), failure);
  return std::optional<std::string>(std::move(text));
}

Result<void> replay_command(const json_codec::Json& json, Configuration& configuration) {
  const auto command = json_codec::command_from_json(json);
  if (!command) return command.error();
  if (auto fine = configuration.check(*command); !fine) return fine;
  configuration.apply(*command);
  return {};
}

Result<void> replay_line(const std::string& line, Configuration& configuration) {
  const auto json = json_codec::parse_text(line, "the line");
  if (!json) return json.error();
  if (!json->is_array()) return replay_command(*json, configuration);
  Configuration after = configuration;
  for (const auto& element : *json) {
    if (auto done = replay_command(element, after); !done) return done;
  }
  configuration = std::move(after);
  return {};
}

// True: a line other than the last one is damaged.
bool replay_all(const std::string& text, Replay& replay) {
  bool damaged = false;
  std::size_t number = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const bool unfinished = lines.eof();  // no line end: the write was interrupted
    if (line.empty()) continue;
    const auto done = replay_line(line, replay.configuration);
    if (done) continue;
    replay.problems.push_back("line " + std::to_string(number) + " of the journal " +
                              (unfinished ? "was not written whole and is left out"
                                          : "cannot be carried out and is left out: " + done.error().text));
    if (!unfinished) damaged = true;
  }
  return damaged;
}

// Lines that text_of() makes of it, daemons aside.
std::uint64_t lines_in(const Configuration& configuration) {
  std::uint64_t lines = 2;
  for (const ConfiguredService& service : configuration.services()) lines += 1 + service.destinations.size();
  return lines;
}

std::string text_of(const Configuration& configuration) {
  std::string text = line_of(SetTimeouts{configuration.timeouts()});
  const auto changed = changed_settings(configuration.tunables());
  if (!changed.empty()) text += line_of(SetTunables{changed});
  for (const SyncDaemon& daemon : configuration.sync_daemons()) text += line_of(StartSyncDaemon{daemon});
  // Oldest first, so that reading it prepends in the same order.
  for (auto service = configuration.services().rbegin(); service != configuration.services().rend(); ++service) {
    text += line_of(AddService{service->service});
    for (auto d = service->destinations.rbegin(); d != service->destinations.rend(); ++d)
      text += line_of(AddDestination{service->service.key, *d});
  }
  return text;
}

}  // namespace

Journal::Journal(Journal&& other) noexcept
    : directory_(std::move(other.directory_)),
      fd_(std::exchange(other.fd_, -1)),
      dirty_(other.dirty_),
      syncing_(std::move(other.syncing_)),
      appended_(other.appended_),
      appended_commands_(other.appended_commands_),
      compact_at_(other.compact_at_),
      torn_(other.torn_) {}

Journal::~Journal() {
  if (fd_ < 0) return;
  ::fdatasync(fd_);
  ::close(fd_);
}

Result<Journal> Journal::open(const std::filesystem::path& directory, Replay& replay, const Configuration& otherwise) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return system_error("cannot create the state directory " + directory.string(), error.value());
  const auto path = directory / kJournalName;
  replay = {};
  const auto text = text_in(path);
  if (!text) return text.error();
  replay.found = text->has_value();
  if (!replay.found) replay.configuration = otherwise;
  Result<void> renewed;
  if (replay.found && replay_all(**text, replay)) {
    const auto kept = directory / "journal.damaged";
    std::filesystem::copy_file(path, kept, std::filesystem::copy_options::overwrite_existing, error);
    if (error) renewed = system_error("cannot keep the damaged journal as " + kept.string(), error.value());
  }
  Journal journal(directory);
  if (renewed) renewed = journal.rewrite(replay.configuration);
  if (renewed) return journal;
  if (!replay.found || !journal.go_on_with(**text)) return renewed.error();
  replay.problems.push_back("the journal goes on as it is, since it could not be written anew: " +
                            renewed.error().text);
  return journal;
}

// Of what is there: a full disk must not keep the services that are in it from coming back.
bool Journal::go_on_with(const std::string& text) {
  fd_ = ::open((directory_ / kJournalName).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  torn_ = !text.empty() && text.back() != '\n';
  return fd_ >= 0;
}

Result<void> Journal::rewrite(const Configuration& configuration) {
  const auto path = directory_ / kJournalName;
  const auto fresh = directory_ / kFreshName;
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return system_error("cannot write " + fresh.string(), errno);
  const std::string text = text_of(configuration);
  auto written = write_all(fd, text, directory_, kFreshName);
  if (written && (::fsync(fd) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0))
    written = system_error("cannot write " + path.string(), errno);
  if (!written) {
    ::close(fd);
    ::unlink(fresh.c_str());
    return written;
  }
  if (const int dir = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); dir >= 0) {
    ::fsync(dir);  // the new name itself
    ::close(dir);
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  dirty_ = false;
  torn_ = false;
  open_ = nullptr;
  appended_ = 0;
  appended_commands_ = 0;
  compact_at_ = kWorthCompacting;
  return {};
}

Result<void> Journal::compact(const Configuration& configuration) {
  if (appended_ < compact_at_ || appended_commands_ < kOvertaken * lines_in(configuration)) return {};
  auto done = rewrite(configuration);
  if (!done) compact_at_ = 2 * appended_;
  return done;
}

void JournalGroup::add(const Command& command) {
  text_ += (text_.empty() ? "[" : ",") + json_codec::command_to_text(command);
  ++commands_;
}

Result<void> Journal::append(const Command& command) {
  close_group();
  const Place before = end();
  auto written = append_text(line_of(command));
  if (written) ++appended_commands_;
  if (written || before.offset < 0) return written;
  if (!cut(before))
    return Error{ErrorCode::internal, written.error().text + "; and what was written of it cannot be taken back"};
  return written;
}

Result<bool> Journal::append_piece(JournalGroup& group) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  if (group.text_.empty()) return true;
  if (open_ != &group) {
    close_group();
    group.written_ = 0;
    open_ = &group;
    open_begin_ = end();
  }
  const auto piece = std::string_view(group.text_).substr(group.written_, kPiece);
  const bool last = group.written_ + piece.size() == group.text_.size();
  auto written = append_text(piece);
  if (written && last) written = append_text("]\n");
  if (!written) {
    close_group();
    return written.error();
  }
  group.written_ += piece.size();
  if (last) {
    open_ = nullptr;
    appended_commands_ += group.commands_;
  }
  return last;
}

void Journal::give_up(const JournalGroup& group) {
  if (open_ == &group) close_group();
}

// What is left of a torn line must not take this text along.
Result<void> Journal::append_text(std::string_view text) {
  auto written = write_all(fd_, torn_ ? "\n" : "", directory_, kJournalName);
  if (written) torn_ = false;
  if (written) written = write_all(fd_, text, directory_, kJournalName);
  if (written) {
    dirty_ = true;
    appended_ += text.size();
  }
  return written;
}

void Journal::close_group() {
  if (open_ == nullptr) return;
  open_ = nullptr;
  cut(open_begin_);
}

Journal::Place Journal::end() const { return {::lseek(fd_, 0, SEEK_END), torn_}; }

bool Journal::cut(const Place& place) {
  const bool done = ::ftruncate(fd_, place.offset) == 0;
  torn_ = !done || place.torn;
  return done;
}

Result<void> Journal::sync() {
  Result<void> last;
  if (syncing_.valid()) {
    if (syncing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return {};
    last = syncing_.get();
  }
  if (!dirty_) return last;
  const int fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);  // rewrite() closes ours
  if (fd < 0) return system_error("cannot bring the journal to the disk", errno);
  dirty_ = false;
  try {
    syncing_ = std::async(std::launch::async, bring_to_disk, fd);
  } catch (const std::system_error&) {
    last = bring_to_disk(fd);  // no thread to be had: for once the loop waits
  }
  return last;
}

}  // namespace limpet
