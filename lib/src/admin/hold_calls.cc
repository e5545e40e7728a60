// SPDX-License-Identifier: BSD-3-Clause
// Deciding what becomes of requests.
#include "admin/body.h"
#include "admin/c2n_message.h"
#include "admin/handlers.h"
#include "admin/members.h"
#include "admin/query.h"

namespace ts2021::admin {
namespace {

Reply no_such_hold() { return error_reply(404, "no such hold"); }
Reply no_such_call() { return error_reply(404, "no such call"); }
Reply bad_timeout() { return error_reply(400, "timeout must be a duration of at most 10m"); }

// The number of the hold that the path names; none: there is none.
std::optional<std::uint64_t> hold_of(const Call& call) {
  const auto id = parse_name('h', call.request.args[0]);
  return id && call.state.passing.holds.exists(*id) ? id : std::nullopt;
}

void read_match(const json::Value& value, HoldPoint point, HoldMatch& out, Members& outer) {
  Members match(value, "match");
  NodePublic node;
  if (match.take("nodeKey", node)) out.node = node;
  const auto flag = [&](std::string_view name, std::optional<bool>& to) {
    bool given = false;
    if (match.take(name, given)) to = given;
    if (to && point != HoldPoint::map_request && point != HoldPoint::first_map)
      match.refuse(name, "is for map requests");
  };
  flag("stream", out.stream);
  flag("readOnly", out.read_only);
  flag("omitPeers", out.omit_peers);
  std::vector<std::string> tags;
  if (match.take("requestTags", tags)) out.tags = std::move(tags);
  if (out.tags && point == HoldPoint::set_dns) match.refuse("requestTags", "is for other requests");
  if (const std::string wrong = match.finish(); !wrong.empty()) outer.fail(wrong);
}

std::string read_decision(std::string_view text, HoldPoint point, Verdict& out) {
  json::Document document;
  Members body(document, text);
  std::string action;
  if (!body.take("action", action)) body.require("action");
  const bool first_map = point == HoldPoint::first_map;
  if (action == "replace" && first_map) {
    json::Value response;
    if (!body.take("response", response))
      body.require("response");
    else if (response.type() != json::Type::object)
      body.refuse("response", "must be an object");
    else
      out.response = json::written(response);
    out.replaced = true;
  } else if (action == "reject" && !first_map) {
    out.kind = Verdict::Kind::reject;
    std::int64_t status = 0;
    if (!body.take("status", status)) body.require("status");
    if (status < 200 || status > 599) body.refuse("status", "must be from 200 to 599");
    out.status = static_cast<int>(status);
    body.take("body", out.body);
    json::Value headers;
    if (body.take("headers", headers)) {
      Members each(headers, "headers");
      each.take_all([&](std::string_view name, std::string value) {
        if (!is_token(name) || !is_header_value(value)) return false;
        out.headers.push_back({std::string(name), std::move(value)});
        return true;
      });
      if (const std::string wrong = each.finish(); !wrong.empty()) body.fail(wrong);
    }
  } else if (action != "continue" && !action.empty()) {
    body.refuse("action", "is not possible here");
  }
  return body.finish();
}

std::string_view name_of(Holds::State state) {
  switch (state) {
    case Holds::State::held:
      return "held";
    case Holds::State::running:
      return "running";
    case Holds::State::done:
      return "done";
  }
  return {};
}

}  // namespace

Outcome make_hold(Call& call) {
  json::Document document;
  Members body(document, call.request.body);
  Holds::New hold;
  std::string on;
  if (!body.take("on", on))
    body.require("on");
  else if (const auto point = parse_hold_point(on))
    hold.point = *point;
  else
    body.refuse("on", "must be register, map-request, first-map or set-dns");
  json::Value match;
  if (body.take("match", match)) read_match(match, hold.point, hold.match, body);
  if (body.take("timeout", hold.timeout) && hold.timeout > max_patience)
    body.refuse("timeout", "must be at most 10m");
  std::int64_t count = 0;
  if (body.take("count", count)) {
    if (count < 1) body.refuse("count", "must be at least 1");
    hold.count = static_cast<std::uint64_t>(count);
  }
  if (const std::string wrong = body.finish(); !wrong.empty()) return error_reply(400, wrong);
  const auto id = call.state.passing.holds.make(std::move(hold));
  if (!id) return error_reply(409, "there are too many holds");
  return object_reply([&](json::Writer& out) { text_member(out, "id", "h" + std::to_string(*id)); }, 201);
}

Outcome show_hold(Call& call) {
  const auto id = hold_of(call);
  if (!id) return no_such_hold();
  const auto timeout = patience(call.request.query);
  if (!timeout) return bad_timeout();
  const auto until = query_text(call.request.query, "wait");
  if (until && *until != "held" && *until != "done") return error_reply(400, "wait must be held or done");
  return call.state.wait(call.request.call, until ? *timeout : Instant::duration{},
                         [&holds = call.state.passing.holds, id = *id, until](bool over) -> Outcome {
                           const auto counts = holds.counts(id);
                           if (!counts) return no_such_hold();
                           const bool fits =
                               !until ||
                               (*until == "held" ? counts->held > 0 : counts->held + counts->running == 0);
                           if (!fits) return over ? Outcome(Reply{}) : std::nullopt;
                           return object_reply([&](json::Writer& out) {
                             text_member(out, "id", "h" + std::to_string(id));
                             text_member(out, "on", text(counts->point));
                             number_member(out, "held", counts->held);
                             number_member(out, "done", counts->done);
                           });
                         });
}

Outcome remove_hold(Call& call) {
  const auto id = hold_of(call);
  if (!id) return no_such_hold();
  call.state.passing.holds.remove(*id);
  call.state.stir();
  return Reply{};
}

Outcome release_hold(Call& call) {
  const auto id = hold_of(call);
  if (!id) return no_such_hold();
  call.state.passing.holds.release(*id);
  call.state.stir();
  return Reply{};
}

Outcome next_held(Call& call) {
  const auto id = hold_of(call);
  if (!id) return no_such_hold();
  const auto timeout = patience(call.request.query);
  if (!timeout) return bad_timeout();
  return call.state.wait(call.request.call, *timeout,
                         [&holds = call.state.passing.holds, id = *id](bool over) -> Outcome {
                           if (!holds.exists(id)) return no_such_hold();
                           std::uint64_t held = 0;
                           auto told = holds.hand_out(id, held);
                           if (!told) return over ? Outcome(Reply{}) : std::nullopt;
                           Reply reply = json_reply(std::move(*told));
                           reply.unread = [&holds, id, held] { holds.hand_back(id, held); };
                           return reply;
                         });
}

Outcome show_held(Call& call) {
  const auto id = hold_of(call);
  if (!id) return no_such_hold();
  const auto held = parse_number(call.request.args[1]);
  if (!held || *held < 1) return no_such_call();
  const auto timeout = patience(call.request.query);
  if (!timeout) return bad_timeout();
  const auto until = query_text(call.request.query, "wait");
  if (until && *until != "done") return error_reply(400, "wait must be done");
  return call.state.wait(
      call.request.call, until ? *timeout : Instant::duration{},
      [&holds = call.state.passing.holds, id = *id, held = static_cast<std::uint64_t>(*held),
       waits = until.has_value()](bool over) -> Outcome {
        const auto status = holds.status(id, held);
        if (!status) return no_such_call();
        if (waits && status->state != Holds::State::done) return over ? Outcome(Reply{}) : std::nullopt;
        return object_reply([&](json::Writer& out) {
          text_member(out, "state", name_of(status->state));
          flag_member(out, "dropped", status->dropped);
        });
      });
}

Outcome answer_held(Call& call) {
  const auto id = hold_of(call);
  if (!id) return no_such_hold();
  Holds& holds = call.state.passing.holds;
  const auto number = parse_number(call.request.args[1]);
  const auto held = static_cast<std::uint64_t>(number.value_or(0));
  const auto status = number && *number > 0 ? holds.status(*id, held) : std::nullopt;
  if (!status) return no_such_call();
  Verdict verdict;
  if (const std::string wrong = read_decision(call.request.body, status->point, verdict); !wrong.empty())
    return error_reply(400, wrong);
  if (verdict.response.size() > max_map_message)
    return error_reply(400, "\"response\" is too large for a frame");
  if (!holds.answer(*id, held, std::move(verdict))) return error_reply(409, "the call is not held any more");
  call.state.stir();
  return Reply{};
}

}  // namespace ts2021::admin
