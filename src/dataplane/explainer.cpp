// SPDX-License-Identifier: Apache-2.0
// The question into the explain program's request, its answer into the model.
#include "dataplane/explainer.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <array>
#include <cerrno>

#include "dataplane/clock.h"
#include "dataplane/keys.h"
#include "dataplane/words.h"
#include "model/session.h"
#include "model/view.h"

namespace limpet::dataplane {
namespace {

static_assert(static_cast<int>(ExplainRule::drop_packet) == LIMPET_EXPLAIN_DROP_PACKET, "one order");

limpet_explain request_of(const ExplainQuestion& question) {
  limpet_explain request{};
  request.key.client_address = question.client.ipv4_network_order();
  request.key.virtual_address = question.virtual_address.ipv4_network_order();
  request.key.client_port = htons(question.client_port.value);
  request.key.virtual_port = htons(question.virtual_port.value);
  request.key.protocol = static_cast<std::uint8_t>(question.protocol);
  request.key.family = LIMPET_IPV4;
  request.mark = question.mark.value;
  request.flags = question.led ? LIMPET_EXPLAIN_LED : 0;
  return request;
}

Result<void> run(int program) {
  // The program looks at the request, not at the packet; the kernel wants one all the same.
  const std::array<std::uint8_t, 64> packet{};
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = packet.data();
  options.data_size_in = packet.size();
  if (::bpf_prog_test_run_opts(program, &options) != 0)
    return system_error("cannot ask the data plane where a connection would go", errno);
  if (options.retval != 0) return Error{ErrorCode::internal, "the data plane did not say where a connection would go"};
  return {};
}

WayToServer way_of(std::uint8_t hop_kind) {
  switch (hop_kind) {
    case LIMPET_HOP_READY:
      return WayToServer::ready;
    case LIMPET_HOP_NEIGHBOUR:
      return WayToServer::unresolved;
    case LIMPET_HOP_LOCAL:
      return WayToServer::local;
    default:
      return WayToServer::unreachable;
  }
}

DestinationKey key_of(const limpet_destination& destination, Port port) {
  return {get_address(destination.address, destination.family), port};
}

// Where cache_bypass lets go.
DestinationKey past_all(const ExplainQuestion& question) { return {question.virtual_address, question.virtual_port}; }

// How long what decides will last, and what it is.
void tell_what_decides(const limpet_explain& answer, const ExplainQuestion& question, Explanation& out) {
  const std::uint64_t now = ticks_now();
  if (out.rule == ExplainRule::persistence) {
    out.expires = seconds_left(TemplateWord(answer.word).effective_expiry(now), now);
    out.network = ipv4_network_text(question.client, answer.template_mask);
  } else if (answer.word != 0) {
    const FlowWord word(answer.word);
    out.expires = seconds_left(word.expiry, now);
    out.state = question.protocol == Protocol::tcp ? tcp_state_name(static_cast<TcpState>(word.state))
                                                   : protocol_name(question.protocol);
    if (answer.template_kind != LIMPET_TEMPLATE_NONE)
      out.network = ipv4_network_text(question.client, answer.template_mask);
  }
}

}  // namespace

Result<Explanation> explain(Object& object, const ExplainQuestion& question) {
  const auto program = object.explain_program();
  if (!program) return program.error();
  object.explain_request[0] = request_of(question);
  if (auto done = run(*program); !done) return done.error();
  const limpet_explain answer = object.explain_request[0];

  Explanation out;
  out.rule = static_cast<ExplainRule>(answer.rule);
  if (answer.service.family != 0) out.service = service_key(answer.service);
  out.reused = (answer.flags & LIMPET_EXPLAIN_REUSED) != 0;
  out.given_up = (answer.flags & LIMPET_EXPLAIN_GIVEN_UP) != 0;
  out.deferred = (answer.flags & LIMPET_EXPLAIN_DEFERRED) != 0;
  if (answer.destination != 0) {
    const limpet_destination& destination = object.destinations[answer.destination];
    out.server =
        ChosenServer{key_of(destination, port_of(answer.destination_port)),
                     static_cast<ForwardingMethod>(answer.method), destination.weight, way_of(answer.hop_kind)};
  }
  if (out.rule == ExplainRule::bypass)
    out.server = ChosenServer{past_all(question), ForwardingMethod::route, 0, way_of(answer.hop_kind)};
  if (out.reused || out.given_up) {
    const limpet_destination& former = object.destinations[answer.former];
    out.former = answer.former == LIMPET_BYPASS ? past_all(question) : key_of(former, port_of(former.port));
  }
  tell_what_decides(answer, question, out);
  return out;
}

}  // namespace limpet::dataplane
