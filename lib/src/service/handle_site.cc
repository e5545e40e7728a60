// SPDX-License-Identifier: BSD-3-Clause
// What anybody may ask: the server's keys, and whether it is alive.
#include "service/handlers.h"
#include "ts2021/service/server_key.h"

namespace ts2021::service {

void on_key(Call& call) {
  const ServerKeyAnswer answer = answer_server_key(call.request.query, call.config.key);
  constexpr Header more[] = {{"Cache-Control", "no-store"}};  // SRV-5
  call.reply(answer.status, answer.content_type, answer.body, more);
}

void on_health(Call& call) { call.reply_text(200, "ok"); }

}  // namespace ts2021::service
