// SPDX-License-Identifier: Apache-2.0
// What a request's query asks for. Errors are bad_request and name the value.
#pragma once

#include "api/routes.h"
#include "model/explanation.h"
#include "model/result.h"
#include "model/session.h"

namespace limpet::api {

// client=10.1.0.0/24 & service=tcp/192.0.2.1:80 & server=10.0.0.1:80, each or none.
Result<SessionFilter> session_filter_of(const Request& request);

// client=10.1.0.1[:PORT] & virtual=192.0.2.1:80 [& protocol=udp] [& mark=10].
Result<ExplainQuestion> explain_question_of(const Request& request);

}  // namespace limpet::api
