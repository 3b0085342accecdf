// SPDX-License-Identifier: Apache-2.0
// What becomes of a packet by each rule.
#include "model/explanation.h"

namespace limpet {

ExplainOutcome Explanation::outcome() const {
  switch (rule) {
    case ExplainRule::removed_server:
    case ExplainRule::drop_packet:
      return ExplainOutcome::dropped;
    case ExplainRule::no_server:
      return ExplainOutcome::refused;
    case ExplainRule::source:
    case ExplainRule::ftp_data:
    case ExplainRule::no_service:
    case ExplainRule::not_persistent:
    case ExplainRule::not_local:
      return ExplainOutcome::passed;
    case ExplainRule::connection:
    case ExplainRule::persistence:
    case ExplainRule::scheduler:
    case ExplainRule::hash:
    case ExplainRule::bypass:
      break;
  }
  // Past the servers goes only what is for another host.
  const bool is_cut_off = server && (server->way == WayToServer::unreachable ||
                                     (rule == ExplainRule::bypass && server->way == WayToServer::local));
  return is_cut_off ? ExplainOutcome::dropped : ExplainOutcome::forwarded;
}

}  // namespace limpet
