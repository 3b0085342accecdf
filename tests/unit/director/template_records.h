// SPDX-License-Identifier: Apache-2.0
// Templates to be written and read, and the reading.
#pragma once

#include <string>
#include <vector>

#include "director/template_codec.h"
#include "unit/director/journal_fixture.h"

namespace limpet {

constexpr std::chrono::system_clock::time_point kNoon{std::chrono::seconds(1'800'000'000)};

inline TemplateRecord record(const std::string& client, const std::string& name = "tcp/192.0.2.1:80",
                             const std::string& endpoint = "10.0.0.1:80",
                             std::chrono::milliseconds left = std::chrono::seconds(100)) {
  TemplateRecord result;
  result.origin = {service_key(name), server_key(endpoint), 300, 0xffffffff};
  result.client = *Address::parse(client);
  result.left = left;
  return result;
}

inline std::vector<TemplateRecord> records(std::size_t count) {
  std::vector<TemplateRecord> all;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string client =
        std::to_string(10 + i / 65536) + "." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256) + ".1";
    all.push_back(
        record(client, i % 3 == 0 ? "fwm/10" : "tcp/192.0.2.1:80", "10.0.0." + std::to_string(1 + i % 7) + ":80"));
    all.back().assured = i % 2 == 0;
  }
  return all;
}

struct Reading {
  std::vector<TemplateRecord> records;
  SnapshotDamage damage;
};

inline Reading read_snapshot(const std::string& bytes, std::chrono::system_clock::time_point now = kNoon,
                             std::size_t piece = std::string::npos) {
  Reading reading;
  TemplateDecoder decoder(now, [&](std::span<const TemplateRecord> block) {
    reading.records.insert(reading.records.end(), block.begin(), block.end());
  });
  for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size()))
    decoder.feed(std::string_view(bytes).substr(at, piece));
  reading.damage = decoder.finish();
  return reading;
}

}  // namespace limpet
