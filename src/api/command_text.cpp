// SPDX-License-Identifier: Apache-2.0
#include "api/command_text.h"

#include "api/routes.h"
#include "json/json.h"

namespace limpet::api {

Result<Command> command_in(std::string_view text) {
  if (text.size() > kDocumentLimit) return Error{ErrorCode::bad_request, "the command is longer than 64 KiB"};
  const auto json = json_codec::parse_text(text, "the command");
  if (!json) return json.error();
  return json_codec::command_from_json(*json, "");
}

}  // namespace limpet::api
