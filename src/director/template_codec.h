// SPDX-License-Identifier: Apache-2.0
// Persistence templates as bytes: the format of the snapshot. Pure.
//
// A snapshot is a sequence of blocks, each of which can be read without the others, so that damage costs a block:
//   "LMPTTMPL"  version  length of the rest  CRC-32 of all else in the block  | the rest:
//   time of writing (ms since 1970)  templates in the blocks before  origins  templates
//   origins:   family, protocol, port, mark, address; server's family, 0, port, address; timeout; netmask
//   templates: index of the origin  flags  ms left  client (4 or 16 bytes, as the origin's family says)
// The last block has no templates, and tells a snapshot that was written to its end. Numbers are little-endian.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "model/template_record.h"

namespace limpet {

// What went wrong with a snapshot, by its own account.
struct SnapshotDamage {
  std::uint64_t bytes = 0;           // that belong to no block that could be read
  std::uint64_t templates_lost = 0;  // at least so many; those of a missing end are not known
  std::uint32_t other_version = 0;   // of blocks that are whole, but of a format we do not read; 0: none
  bool cut_short = false;            // the last block is missing

  bool any() const { return bytes != 0 || templates_lost != 0 || other_version != 0 || cut_short; }
  std::string to_string() const;
};

class TemplateEncoder {
 public:
  // `now`: the wall clock. Most in one block; a longer span becomes several.
  static constexpr std::size_t kBlock = 4096;
  std::string encode(std::span<const TemplateRecord> records, std::chrono::system_clock::time_point now);
  // The last block.
  std::string end(std::chrono::system_clock::time_point now);

 private:
  std::string block(std::span<const TemplateRecord> records, std::chrono::system_clock::time_point now) const;

  std::uint64_t written_ = 0;
};

class TemplateDecoder {
 public:
  // Gets the templates of one block with what is left of their time at `now`: the time since they were written has
  // passed for them, running or not; a clock that went backwards adds nothing. The expired are there, with none left.
  using Visit = std::function<void(std::span<const TemplateRecord>)>;
  TemplateDecoder(std::chrono::system_clock::time_point now, Visit visit) : now_(now), visit_(std::move(visit)) {}

  // The next bytes of the snapshot, in pieces of any size.
  void feed(std::string_view bytes);
  SnapshotDamage finish();

 private:
  bool take_block(std::string_view bytes, std::size_t& length);
  void read_block(std::string_view rest);

  std::chrono::system_clock::time_point now_;
  Visit visit_;
  std::string pending_;  // less than a block
  SnapshotDamage damage_;
  std::uint64_t seen_ = 0;
  std::uint64_t announced_ = 0;
  bool ended_ = false;
};

}  // namespace limpet
