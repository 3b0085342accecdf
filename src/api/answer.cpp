// SPDX-License-Identifier: Apache-2.0
// Answers with a JSON body and with a problem document.
#include "api/answer.h"

#include "json/json.h"

namespace limpet::api {

Answer json_answer(int status, const nlohmann::json& body) {
  Answer answer;
  answer.status = status;
  answer.body = json_codec::to_text(body);
  return answer;
}

Answer problem_answer(const Error& error, int status) {
  Answer answer = json_answer(status, json_codec::problem_to_json(error, status));
  answer.content_type = kProblemJson;
  return answer;
}

Answer problem_answer(const Error& error) { return problem_answer(error, json_codec::http_status(error.code)); }

}  // namespace limpet::api
