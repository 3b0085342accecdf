// SPDX-License-Identifier: Apache-2.0
// One function for each route: reads the body, asks the director, answers.
#pragma once

#include "api/answer.h"
#include "api/routes.h"
#include "director/director.h"

namespace limpet::api {

Answer get_version(Director& director, const Request& request);
Answer get_status(Director& director, const Request& request);
Answer list_services(Director& director, const Request& request);
Answer add_service(Director& director, const Request& request);
Answer flush(Director& director, const Request& request);
Answer get_service(Director& director, const Request& request);
Answer edit_service(Director& director, const Request& request);
Answer delete_service(Director& director, const Request& request);
Answer add_destination(Director& director, const Request& request);
Answer edit_destination(Director& director, const Request& request);
Answer delete_destination(Director& director, const Request& request);
Answer get_timeouts(Director& director, const Request& request);
Answer set_timeouts(Director& director, const Request& request);
Answer get_tunables(Director& director, const Request& request);
Answer set_tunables(Director& director, const Request& request);
Answer list_sync_daemons(Director& director, const Request& request);
Answer zero(Director& director, const Request& request);
Answer list_connections(Director& director, const Request& request);
Answer list_sessions(Director& director, const Request& request);
Answer get_remaining(Director& director, const Request& request);
Answer explain(Director& director, const Request& request);
Answer run_commands(Director& director, const Request& request);
Answer run_transaction(Director& director, const Request& request);
Answer what_if(Director& director, const Request& request);
Answer unload(Director& director, const Request& request);

}  // namespace limpet::api
