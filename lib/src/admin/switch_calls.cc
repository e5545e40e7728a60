// SPDX-License-Identifier: BSD-3-Clause
// What requests of nodes meet at the desk.
#include <limits>

#include "admin/body.h"
#include "admin/c2n_message.h"
#include "admin/handlers.h"
#include "admin/members.h"

namespace ts2021::admin {
namespace {

bool is_null(std::string_view body) {
  json::Document document;
  const auto value = document.parse_copy(as_bytes(body));
  return value && value->is_null();
}

}  // namespace

Outcome show_register_limit(Call& call) {
  const auto& limit = call.state.passing.register_limit;
  if (!limit) return json_reply("null");
  return object_reply([&](json::Writer& out) {
    number_member(out, "count", static_cast<std::uint64_t>(limit->count));
    text_member(out, "retryAfter", limit->retry_after);
    text_member(out, "message", limit->message);
  });
}

Outcome put_register_limit(Call& call) {
  if (is_null(call.request.body)) {
    call.state.passing.register_limit.reset();
    return Reply{};
  }
  json::Document document;
  Members body(document, call.request.body);
  RegisterLimit limit;
  if (!body.take("count", limit.count)) body.require("count");
  if (limit.count < 0) body.refuse("count", "must not be negative");
  if (body.take("retryAfter", limit.retry_after) && !is_header_value(limit.retry_after))
    body.refuse("retryAfter", "must be the value of a header");
  body.take("message", limit.message);
  if (const std::string wrong = body.finish(); !wrong.empty()) return error_reply(400, wrong);
  call.state.passing.register_limit = std::move(limit);
  return Reply{};
}

Outcome show_first_map_patch(Call& call) {
  const std::string& patch = call.state.passing.first_map_patch;
  return json_reply(patch.empty() ? "null" : patch);
}

Outcome put_first_map_patch(Call& call) {
  std::string& patch = call.state.passing.first_map_patch;
  if (is_null(call.request.body)) {
    patch.clear();
    return Reply{};
  }
  if (const std::string wrong = check_object(call.request.body); !wrong.empty())
    return error_reply(400, wrong);
  patch = call.request.body;
  return Reply{};
}

Outcome show_alt_map(Call& call) { return flag_reply("enabled", call.state.passing.alt_map); }

Outcome put_alt_map(Call& call) {
  bool enabled = false;
  if (!is_null(call.request.body)) {
    json::Document document;
    Members body(document, call.request.body);
    if (!body.take("enabled", enabled)) body.require("enabled");
    if (const std::string wrong = body.finish(); !wrong.empty()) return error_reply(400, wrong);
  }
  call.state.passing.alt_map = enabled;
  return Reply{};
}

}  // namespace ts2021::admin
