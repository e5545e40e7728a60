// SPDX-License-Identifier: BSD-3-Clause
#include "admin/flow.h"

#include <algorithm>
#include <string>
#include <utility>

#include "ts2021/msg/codec.h"

namespace ts2021::admin {
namespace {

// Notices are one line of printable ASCII.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

// --- sessions ---

void Flow::on(const coord_input::Opened& input) {
  sessions_[input.session] = {input.machine, ++connections_};
  state_.inputs.emplace_back(input);
}

void Flow::on(const coord_input::Gone& input) {
  maps_.session_gone(input.session);
  const StreamKey first{input.session, ts2021::CallId{}};
  for (auto at = registrations_.lower_bound(first);
       at != registrations_.end() && at->first.session == input.session;)
    end(at++, "gone");
  for (auto at = questions_.lower_bound(first); at != questions_.end() && at->first.session == input.session;)
    end(at++);
  sessions_.erase(input.session);
  state_.inputs.emplace_back(input);
}

MapFlow::Sender Flow::sender(SessionId id) {
  const auto at = sessions_.find(id);
  return at == sessions_.end() ? MapFlow::Sender{}
                               : MapFlow::Sender{at->second.machine, at->second.connection};
}

void Flow::on(const coord_input::Cancelled& input) {
  const StreamKey key{input.session, input.call};
  bool forward = true;
  if (maps_.on(input, forward)) {
  } else if (const auto at = registrations_.find(key); at != registrations_.end()) {
    forward = !at->second.held;
    end(at, "gone");
  } else if (const auto asked = questions_.find(key); asked != questions_.end()) {
    forward = !asked->second.held;
    end(asked);
  }
  if (forward) state_.inputs.emplace_back(input);
}

void Flow::on(const coord_input::Taken& input) {
  if (!maps_.on(input)) state_.inputs.emplace_back(input);
}

void Flow::refuse(StreamKey key, int status, std::string body, std::vector<Header> headers) {
  coord_event::Refused refused{key.session, key.call, status, {}, {}};
  refused.body = std::move(body);
  for (Header& header : headers)
    refused.headers.emplace_back(std::move(header.name), std::move(header.value));
  state_.coord_events.emplace_back(std::move(refused));
}

// --- registration ---

void Flow::on(const coord_input::Register& input) {
  const StreamKey key{input.session, input.call};
  const MachinePublic machine = sender(input.session).machine;
  const RegisterRequest& request = *input.request;
  if (state_.passing.own.verbose) show(input);
  const auto at = registrations_.insert_or_assign(key, Registration{input.request, machine}).first;
  if (auto& limit = state_.passing.register_limit; limit && limit->count > 0) {
    --limit->count;
    std::vector<Header> headers;
    if (!limit->retry_after.empty()) headers.push_back({"Retry-After", limit->retry_after});
    refuse(key, 429, limit->message, std::move(headers));
    return end(at, "rate-limited");
  }
  HoldFacts facts{request.node_key, machine, false, false, false, {}};
  if (request.hostinfo) facts.tags = request.hostinfo->request_tags;
  if (state_.passing.holds.wants(HoldPoint::register_request, facts)) {
    state_.stir();
    at->second.held = true;
    if (!state_.passing.holds.ask({HoldPoint::register_request, key, std::move(facts), encoded(request), {}},
                                  state_.now.mono))
      return;
    at->second.held = false;
  }
  state_.inputs.emplace_back(input);
}

// For the log, without what must stay secret.
void Flow::show(const coord_input::Register& input) {
  RegisterRequest request = *input.request;
  if (request.auth) {
    request.auth->auth_key.clear();
    request.auth->oauth2_token.reset();
  }
  coord_event::Notice notice;
  notice.kind = NoticeKind::reported;
  notice.machine = sender(input.session).machine;
  notice.text = "register request";
  notice.detail = printable(encoded(request));
  state_.coord_events.emplace_back(std::move(notice));
}

void Flow::end(Registrations::iterator at, std::string_view result) {
  const RegisterRequest& request = *at->second.request;
  state_.events.add(EventType::register_done, [&](json::Writer& out) {
    text_member(out, "nodeKey", request.node_key.text());
    text_member(out, "oldNodeKey", request.old_node_key.text());
    text_member(out, "machineKey", at->second.machine.text());
    number_member(out, "version", static_cast<std::uint64_t>(request.version));
    flag_member(out, "followup", !request.followup.empty());
    text_member(out, "result", result);
  });
  state_.stir();
  state_.passing.holds.gone(at->first);
  state_.passing.holds.finished(at->first);
  registrations_.erase(at);
}

void Flow::on(const coord_event::RegisterReply& event) {
  if (const auto at = registrations_.find({event.session, event.call}); at != registrations_.end()) {
    const RegisterResponse& reply = *event.reply;
    if (state_.config.test_mode && !reply.auth_url.empty()) state_.causes.add({"begin of a login"});
    if (!reply.auth_url.empty()) state_.passing.logins.told(reply.auth_url, at->second.request->node_key);
    end(at, !reply.error.empty() ? "error" : !reply.auth_url.empty() ? "auth-url" : "ok");
  }
  state_.coord_events.emplace_back(event);
}

// --- questions ---

void Flow::on(const coord_input::Ask& input) {
  if (const auto* dns = std::get_if<question::SetDns>(&input.question)) return on_set_dns(input, *dns);
  if (const auto* answer = std::get_if<question::Deliver>(&input.question))
    if (on_deliver(input, *answer)) return;
  state_.causes.add(cause_of(input.question));
  if (std::holds_alternative<question::DecidePending>(input.question))
    questions_.insert_or_assign({input.session, input.call}, Asked{input});
  state_.inputs.emplace_back(input);
}

void Flow::on_set_dns(const coord_input::Ask& input, const question::SetDns& asked) {
  const StreamKey key{input.session, input.call};
  const SetDNSRequest& request = *asked.request;
  state_.events.add(EventType::set_dns, [&](json::Writer& out) {
    text_member(out, "nodeKey", request.node_key.text());
    text_member(out, "name", request.name);
    text_member(out, "recordType", request.type);
    text_member(out, "value", request.value);
  });
  state_.stir();
  if (!state_.passing.own.set_dns_error.empty()) return refuse(key, 500, state_.passing.own.set_dns_error);
  const auto at = questions_.insert_or_assign(key, Asked{input}).first;
  HoldFacts facts{request.node_key, input.machine.value_or(MachinePublic{}), false, false, false, {}};
  if (state_.passing.holds.wants(HoldPoint::set_dns, facts)) {
    at->second.held = true;
    if (!state_.passing.holds.ask({HoldPoint::set_dns, key, std::move(facts), encoded(request), {}},
                                  state_.now.mono))
      return;
    at->second.held = false;
  }
  state_.inputs.emplace_back(input);
}

bool Flow::on_deliver(const coord_input::Ask& input, const question::Deliver& answer) {
  Callbacks& callbacks = state_.passing.callbacks;
  if (const std::string* url = callbacks.ping(answer.token)) {
    state_.events.add(EventType::ping_result, [&](json::Writer& out) {
      text_member(out, "url", *url);
      json_member(out, "body", answer.body);
    });
    state_.stir();
  } else if (const auto id = callbacks.deliver(answer.token, answer.body, input.machine, state_.now.mono)) {
    c2n_done(*id);
    if (callbacks.find(*id)->status != 200) {
      refuse({input.session, input.call}, 400, "not an HTTP/1.1 response\n");
      return true;
    }
  } else {
    return false;
  }
  state_.coord_events.emplace_back(coord_event::Answer{input.session, input.call, answer::Done{}});
  return true;
}

void Flow::c2n_done(std::uint64_t id) {
  const Callbacks::Call& call = *state_.passing.callbacks.find(id);
  state_.events.add(EventType::c2n_result, [&](json::Writer& out) {
    text_member(out, "nodeKey", call.node.text());
    text_member(out, "id", "c" + std::to_string(id));
    number_member(out, "status",
                  static_cast<std::uint64_t>(call.status == 200 ? call.response.status : call.status));
  });
  state_.stir();
}

void Flow::end(Questions::iterator at) {
  state_.passing.holds.gone(at->first);
  state_.passing.holds.finished(at->first);
  questions_.erase(at);
  state_.stir();
}

void Flow::on(const coord_event::Answer& event) {
  if (const auto at = questions_.find({event.session, event.call}); at != questions_.end()) {
    const auto* decided = std::get_if<question::DecidePending>(&at->second.ask.question);
    if (decided && !decided->login_name.empty())
      if (auto* login = state_.passing.logins.find(decided->id);
          login && !std::exchange(login->completed, true))
        state_.events.add(EventType::auth_complete, [&](json::Writer& out) {
          text_member(out, "nodeKey", login->node.text());
          text_member(out, "url", login->url);
        });
    end(at);
  }
  state_.coord_events.emplace_back(event);
}

// --- the rest ---

void Flow::on(const coord_event::MapFrame& event) {
  if (!maps_.on(event)) state_.coord_events.emplace_back(event);
}
void Flow::on(const coord_event::MapEnd& event) {
  if (!maps_.on(event)) state_.coord_events.emplace_back(event);
}

void Flow::on(const coord_event::Refused& event) {
  if (maps_.on(event)) return;
  const StreamKey key{event.session, event.call};
  if (const auto at = registrations_.find(key); at != registrations_.end())
    end(at, event.status == 429 ? "rate-limited" : "error");
  else if (const auto asked = questions_.find(key); asked != questions_.end())
    end(asked);
  state_.coord_events.emplace_back(event);
}

void Flow::on(const coord_event::CommandDone& event) {
  if (state_.carried_out(event)) return;
  if (event.status == 200) state_.causes.add({"order of the program"});
  state_.coord_events.emplace_back(event);
}

void Flow::on(const coord_event::Notice& event) {
  state_.causes.add(cause_of(event, state_.config.test_mode));
  state_.coord_events.emplace_back(event);
}

void Flow::on(const Unrouted& request) {
  ++state_.unhandled;
  NodePublic node;
  if (request.machine)
    for (const auto& status : state_.coordinator->nodes())
      if (status.record->machine == *request.machine) node = status.record->key;
  state_.events.add(EventType::unhandled, [&](json::Writer& out) {
    if (!node.is_zero()) text_member(out, "nodeKey", node.text());
    text_member(out, "method", request.method);
    text_member(out, "path", request.path);
    flag_member(out, "inside", request.inside);
  });
  state_.stir();
}

void Flow::settle_holds() {
  while (auto verdict = state_.passing.holds.next_verdict()) {
    state_.stir();
    on(std::move(*verdict));
  }
}

void Flow::on(Verdict verdict) {
  const auto reject = [&] {
    refuse(verdict.key, verdict.status, std::move(verdict.body), std::move(verdict.headers));
  };
  if (verdict.kind == Verdict::Kind::drop) return;  // it ended when its client went
  switch (verdict.point) {
    case HoldPoint::map_request:
    case HoldPoint::first_map:
      return maps_.on(std::move(verdict));
    case HoldPoint::register_request: {
      const auto at = registrations_.find(verdict.key);
      if (at == registrations_.end()) return;
      at->second.held = false;
      if (verdict.kind == Verdict::Kind::go) {
        state_.inputs.push_back(
            coord_input::Register{verdict.key.session, verdict.key.call, at->second.request});
        return;
      }
      reject();
      return end(at, verdict.status == 429 ? "rate-limited" : "error");
    }
    case HoldPoint::set_dns: {
      const auto at = questions_.find(verdict.key);
      if (at == questions_.end()) return;
      at->second.held = false;
      if (verdict.kind == Verdict::Kind::go) {
        state_.inputs.emplace_back(at->second.ask);
        return;
      }
      reject();
      return end(at);
    }
  }
}

void Flow::forget() {
  maps_.forget();
  while (!registrations_.empty()) end(registrations_.begin(), "gone");
  while (!questions_.empty()) end(questions_.begin());
  sessions_.clear();
}

}  // namespace ts2021::admin
