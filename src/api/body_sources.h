// SPDX-License-Identifier: Apache-2.0
// The long bodies: services, connections, sessions and the outcomes of many commands.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "api/answer.h"
#include "director/director.h"
#include "model/result.h"
#include "model/view.h"

namespace limpet::api {

// A JSON array of ServiceView.
std::unique_ptr<BodySource> service_list(Director& director);
// One ServiceView.
std::unique_ptr<BodySource> single_service(ServiceView service);

// One JSON object a line. If the cursor fails on the way, the last line is {"problem": …}: the status has been sent.
std::unique_ptr<BodySource> connection_lines(std::unique_ptr<ConnectionCursor> cursor);
std::unique_ptr<BodySource> session_lines(std::unique_ptr<SessionCursor> cursor);

// One Remaining.
std::unique_ptr<BodySource> remaining_count(std::unique_ptr<Tally> tally);

// Carries out the commands of a JSON array in order, as the client takes the outcomes: an array of null or problem,
// one for each. Not atomic. Errors: bad_request, the text is not an array, or one of too many commands.
inline constexpr std::size_t kMostCommands = 10000;
Result<std::unique_ptr<BodySource>> command_run(Director& director, std::string commands);

}  // namespace limpet::api
