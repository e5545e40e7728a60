// SPDX-License-Identifier: BSD-3-Clause
// What anybody may ask: the server's keys, whether it is alive, and what relays want to know.
#include <algorithm>

#include "json/writer.h"
#include "service/form.h"
#include "service/handlers.h"
#include "ts2021/msg/derp.h"
#include "ts2021/service/server_key.h"

namespace ts2021::service {
namespace {

constexpr std::size_t max_challenge = 64;

bool is_challenge(std::string_view text) {
  return !text.empty() && text.size() <= max_challenge && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

void tell_admission(Exchange& exchange, const answer::Admission& admission) {
  exchange.reply_json(DERPAdmitClientResponse{admission.allow});
}

void tell_relays(Exchange& exchange, const answer::Relays& relays) {
  if (!relays.derp_map) return exchange.reply_text(404, "this server has no relays");
  exchange.reply_json(*relays.derp_map);
}

}  // namespace

void on_key(Call& call) {
  const ServerKeyAnswer answer = answer_server_key(call.request.query, call.config.key);
  constexpr Header more[] = {{"Cache-Control", "no-store"}};  // SRV-5
  call.reply(answer.status, answer.content_type, answer.body, more);
}

void on_health(Call& call) { call.reply_text(200, "ok"); }

// API-145: who looks for a captive portal wants to see that nobody in between has answered.
void on_generate_204(Call& call) {
  const std::string_view challenge = find_header(call.request.headers, "x-tailscale-challenge");
  const std::string answer = "response " + std::string(challenge);
  const Header more[] = {{"Cache-Control", "no-store"}, {"X-Tailscale-Response", answer}};
  call.reply(204, {}, {}, std::span(more).first(is_challenge(challenge) ? 2 : 1));
}

// Only what the program has configured: the library looks up no names.
void on_bootstrap_dns(Call& call) {
  const std::string wanted = form_value(call.request.query, "q");
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  for (const auto& [name, addresses] : call.config.bootstrap_dns) {
    if (!wanted.empty() && name != wanted) continue;
    writer.name(name);
    writer.begin_array();
    for (const IpAddress& address : addresses) writer.text(address);
    writer.end_array();
  }
  writer.end_object();
  writer.flush();
  call.reply(200, "application/json", body);
}

void on_verify(Call& call, std::shared_ptr<const DERPAdmitClientRequest> request) {
  call.ask<&tell_admission>(question::AdmitToRelay{request->node_public});
}

void on_derp_map(Call& call) { call.ask<&tell_relays>(question::FindRelays{}); }

}  // namespace ts2021::service
