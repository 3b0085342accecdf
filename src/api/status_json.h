// SPDX-License-Identifier: Apache-2.0
// The daemon's status as JSON and back; apart from src/json/ because Status is the director's, not the model's.
#pragma once

#include <nlohmann/json.hpp>

#include "director/director.h"
#include "model/result.h"

namespace limpet::api {

nlohmann::json status_to_json(const Status& status);
Result<Status> status_from_json(const nlohmann::json& json);

}  // namespace limpet::api
