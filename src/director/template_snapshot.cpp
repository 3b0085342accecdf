// SPDX-License-Identifier: Apache-2.0
// Persistence templates on disk.
#include "director/template_snapshot.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace limpet {
namespace {

constexpr const char* kSnapshotName = "templates";
constexpr const char* kNewName = "templates.new";
constexpr std::size_t kPiece = 2048;  // about half a millisecond's work

// Brings the new snapshot to the disk, and then into the place of the former one. Takes `fd` over.
Result<void> put_in_place(int fd, const std::filesystem::path& directory) {
  const auto fresh = directory / kNewName;
  const auto path = directory / kSnapshotName;
  Result<void> done;
  if (::fdatasync(fd) != 0) done = system_error("cannot bring " + fresh.string() + " to the disk", errno);
  ::close(fd);
  if (done && ::rename(fresh.c_str(), path.c_str()) != 0) done = system_error("cannot write " + path.string(), errno);
  if (!done) ::unlink(fresh.c_str());
  if (const int dir = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); dir >= 0) {
    ::fsync(dir);  // the new name itself
    ::close(dir);
  }
  return done;
}

}  // namespace

TemplateSnapshot::~TemplateSnapshot() { abandon(); }

void TemplateSnapshot::abandon() {
  if (syncing_.valid()) syncing_.wait();
  if (fd_ < 0) return;
  ::close(std::exchange(fd_, -1));
  ::unlink((directory_ / kNewName).c_str());
}

Result<SnapshotDamage> TemplateSnapshot::read(std::chrono::system_clock::time_point now,
                                              const TemplateDecoder::Visit& visit) const {
  const auto path = directory_ / kSnapshotName;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return SnapshotDamage();
  if (fd < 0) return system_error("cannot read " + path.string(), errno);
  TemplateDecoder decoder(now, visit);
  std::array<char, 65536> piece;
  ssize_t n = 0;
  while ((n = ::read(fd, piece.data(), piece.size())) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) decoder.feed({piece.data(), static_cast<std::size_t>(n)});
  const int failure = n < 0 ? errno : 0;
  ::close(fd);
  const SnapshotDamage damage = decoder.finish();
  if (failure != 0) return system_error("cannot read " + path.string() + " to its end", failure);
  return damage;
}

Result<void> TemplateSnapshot::begin(Source source) {
  const auto fresh = directory_ / kNewName;
  fd_ = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd_ < 0) return system_error("cannot write " + fresh.string(), errno);
  source_ = std::move(source);
  encoder_ = {};
  return {};
}

Result<void> TemplateSnapshot::write(const std::string& bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = ::write(fd_, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int failure = errno;
      abandon();
      return system_error("cannot write " + (directory_ / kNewName).string(), failure);
    }
    written += static_cast<std::size_t>(n);
  }
  return {};
}

Result<bool> TemplateSnapshot::write_piece() {
  const auto now = std::chrono::system_clock::now();
  const auto records = source_(kPiece);
  const auto written = write(records ? encoder_.encode(*records, now) : encoder_.end(now));
  if (!written) return written.error();
  return records.has_value();
}

Result<void> TemplateSnapshot::step(std::chrono::microseconds budget) {
  if (syncing_.valid()) {
    if (syncing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return {};
    return syncing_.get();
  }
  const auto end_of_turn = std::chrono::steady_clock::now() + budget;
  while (fd_ >= 0 && std::chrono::steady_clock::now() < end_of_turn) {
    const auto more = write_piece();
    if (!more) return more.error();
    if (*more) continue;
    const int fd = std::exchange(fd_, -1);
    try {
      syncing_ = std::async(std::launch::async, put_in_place, fd, directory_);
    } catch (const std::system_error&) {
      return put_in_place(fd, directory_);  // no thread to be had: for once the loop waits
    }
  }
  return {};
}

Result<void> TemplateSnapshot::write_all(Source source) {
  abandon();
  if (syncing_.valid()) (void)syncing_.get();
  if (auto begun = begin(std::move(source)); !begun) return begun;
  for (;;) {
    const auto more = write_piece();
    if (!more) return more.error();
    if (!*more) return put_in_place(std::exchange(fd_, -1), directory_);
  }
}

}  // namespace limpet
