// SPDX-License-Identifier: BSD-3-Clause
// The clock, the fresh start, the description.
#include "admin/duration.h"
#include "admin/handlers.h"
#include "admin/members.h"
#include "ts2021/msg/primitives.h"

namespace ts2021::admin {

Outcome show_clock(Call& call) {
  return object_reply([&](json::Writer& out) { text_member(out, "now", Time(call.state.now.wall).text()); });
}

Outcome set_clock(Call& call) {
  json::Document document;
  Members body(document, call.request.body);
  std::string text;
  if (!body.take("now", text)) body.require("now");
  const auto time = Time::parse(text);
  if (!time || time->is_zero()) body.refuse("now", "must be a time like 2026-01-02T03:04:05Z");
  if (const std::string wrong = body.finish(); !wrong.empty()) return error_reply(400, wrong);
  if (!call.state.config.virtual_clock) return error_reply(409, "the clock is not virtual");
  call.state.ask_program(call.request.call, task::SetClock{time->at});
  return std::nullopt;
}

Outcome advance_clock(Call& call) {
  json::Document document;
  Members body(document, call.request.body);
  task::AdvanceClock advance;
  if (!body.take("by", advance.by)) body.require("by");
  if (const std::string wrong = body.finish(); !wrong.empty()) return error_reply(400, wrong);
  if (!call.state.config.virtual_clock) return error_reply(409, "the clock is not virtual");
  call.state.ask_program(call.request.call, advance);
  return std::nullopt;
}

Outcome reset(Call& call) {
  json::Document document;
  Members body(document, call.request.body);
  task::Reset reset;
  body.take("keys", reset.keys);
  if (const std::string wrong = body.finish(); !wrong.empty()) return error_reply(400, wrong);
  call.state.ask_program(call.request.call, reset);
  return std::nullopt;
}

Outcome describe(Call&) { return json_reply(Desk::openapi()); }

}  // namespace ts2021::admin
