// SPDX-License-Identifier: BSD-3-Clause
// What waits for a person: SSH sessions in check mode, and visits of a node's web client.
#include "service/form.h"
#include "service/handlers.h"

namespace ts2021::service {
namespace {

struct Ends {
  NodeId src{}, dst{};
};
// Of the path; without a value the call has been answered.
std::optional<Ends> ends_of(Call& call) {
  const auto src = parse_id(call.request.args[0]), dst = parse_id(call.request.args[1]);
  if (src && dst) return Ends{NodeId{*src}, NodeId{*dst}};
  call.reply_text(404, "node not found");
  return std::nullopt;
}

void tell_verdict(Exchange& exchange, const answer::Verdict& verdict) { exchange.reply_json(verdict.action); }
void tell_visit(Exchange& exchange, const answer::Visit& visit) {
  exchange.reply_json(WebClientAuthResponse{visit.id, visit.url, false});
}
void tell_complete(Exchange& exchange, const answer::Done&) {
  exchange.reply_json(WebClientAuthResponse{{}, {}, true});
}

}  // namespace

void on_ssh_action(Call& call) {
  const auto ends = ends_of(call);
  if (!ends) return;
  const std::string_view query = call.request.query;
  call.ask<&tell_verdict>(question::AuthorizeSsh{ends->src, ends->dst, form_value(query, "ssh_user"),
                                                 form_value(query, "local_user"),
                                                 form_value(query, "auth_id")});
}

void on_web_client_init(Call& call) {
  if (const auto ends = ends_of(call)) call.ask<&tell_visit>(question::BeginWebClient{ends->src, ends->dst});
}

void on_web_client_wait(Call& call) {
  if (const auto ends = ends_of(call))
    call.ask<&tell_complete>(
        question::AwaitWebClient{ends->src, ends->dst, std::string(call.request.args[2])});
}

}  // namespace ts2021::service
