// SPDX-License-Identifier: Apache-2.0
// The lines of `limpet sessions`.
#pragma once

#include <string>

#include "model/session.h"

namespace limpet {

std::string sessions_header();
std::string session_line(const SessionView& session);
// Why it is there: "scheduled by rr", "template of 10.1.0.0/24, 3 connections", ...
std::string session_reason(const SessionView& session);

}  // namespace limpet
