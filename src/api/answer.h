// SPDX-License-Identifier: Apache-2.0
// What a handler answers: a status and a body, whole or in pieces.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "director/turn.h"
#include "model/result.h"

namespace limpet::api {

// In front of an answer that takes longer, where JSON allows it: that it cannot be sent shows that the client has gone.
inline constexpr const char* kStillThere = " ";

// Whether a piece of a body is to be sent before it grows longer.
inline constexpr std::size_t kLongestPiece = std::size_t{256} * 1024;
inline bool is_full(const std::string& piece, const Turn& turn) { return piece.size() >= kLongestPiece || turn.over(); }

// A body too long to be made at once. The session asks for the next piece when the last one has been taken by the
// client, with a turn of the loop in between; so memory stays bounded and no one else waits.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // A few milliseconds' work; an empty piece is no end, nullopt is.
  virtual std::optional<std::string> next() = 0;
};

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kProblemJson = "application/problem+json";
inline constexpr std::string_view kNdjson = "application/x-ndjson";

struct Answer {
  int status = 204;
  std::string_view content_type = kJson;  // of the body, if there is one
  std::string body;
  std::unique_ptr<BodySource> source;  // instead of body
  std::string allow;                   // the Allow header of a 405
  bool close = false;                  // the connection cannot go on after this
  bool unloaded = false;               // tell the daemon once this has been sent
};

Answer json_answer(int status, const nlohmann::json& body);
Answer problem_answer(const Error& error, int status);
Answer problem_answer(const Error& error);

}  // namespace limpet::api
