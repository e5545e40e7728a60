// SPDX-License-Identifier: BSD-3-Clause
// What nodes answer to pings and to requests from control.
#include "service/handlers.h"
#include "ts2021/msg/ping.h"

namespace ts2021::service {
namespace {

void taken(Exchange& exchange, const answer::Done&) { exchange.reply(204, {}, {}); }

}  // namespace

void on_call_answer(Call& call) {
  call.ask<&taken>(
      question::Deliver{std::string(call.request.args[0]), std::string(as_text(call.request.body))});
}

void on_ping_answer(Call& call, std::shared_ptr<const PingResponse> response) {
  call.ask<&taken>(question::Deliver{std::string(call.request.args[0]), encoded(*response)});
}

// HEAD: to a ping without kinds.
void on_ping_seen(Call& call) { call.ask<&taken>(question::Deliver{std::string(call.request.args[0]), {}}); }

}  // namespace ts2021::service
