// SPDX-License-Identifier: BSD-3-Clause
// What goes to a node by name: pings, whole frames, requests from control to node.
#include "admin/body.h"
#include "admin/handlers.h"
#include "admin/query.h"
#include "ts2021/msg/ping.h"

namespace ts2021::admin {
namespace {

// The node's poll has the frame in its queue.
bool enqueue(Call& call, const NodePublic& node, std::string frame, std::string_view reason) {
  if (!call.flow.maps().polls(node)) return false;
  return call.state.passing.raw_frames.add(node, {std::move(frame), reason});
}

Reply c2n_reply(const Callbacks::Call& answered) {
  if (answered.status == 502) return error_reply(502, "the node's answer is not HTTP/1.1");
  if (answered.status == 504) return error_reply(504, "the node has not answered in time");
  return json_reply(answer_json(answered.response));
}

Reply raw_reply(const Callbacks::Call& answered) {
  if (answered.status != 200) return c2n_reply(answered);
  Reply reply{answered.response.status, answered.response.body, "application/octet-stream", {}, {}};
  // Whatever the node says, it is no page of this site: it must not act as the page for people does.
  reply.headers.push_back({"Content-Security-Policy", "sandbox"});
  reply.headers.push_back({"X-Content-Type-Options", "nosniff"});
  for (const Header& header : answered.response.headers) {
    if (same_token(header.name, "content-type"))
      reply.content_type = header.value;
    else if (!same_token(header.name, "connection") && !same_token(header.name, "content-length") &&
             !same_token(header.name, "transfer-encoding"))
      reply.headers.push_back(header);
  }
  return reply;
}

using Show = Reply (*)(const Callbacks::Call&);

// Answers as soon as the node has; the time is the call's own.
Attempt answer_of(State& state, std::uint64_t id, Show show) {
  return [&state, id, show](bool) -> Outcome {
    const Callbacks::Call* const answered = state.passing.callbacks.find(id);
    if (!answered) return error_reply(404, "no such call");
    if (answered->status == 0) return std::nullopt;
    return show(*answered);
  };
}

// The number of the call; none: the node has no poll.
std::optional<std::uint64_t> begin(Call& call, const C2nRequest& request, const NodePublic& node) {
  MapFlow& maps = call.flow.maps();
  if (!maps.polls(node)) return std::nullopt;
  std::string frame;
  const std::uint64_t id = call.state.passing.callbacks.begin(request, node, maps.machine_of(node),
                                                              call.state.entropy, call.state.now.mono, frame);
  (void)enqueue(call, node, std::move(frame), "c2n");  // else it runs out of time
  maps.wake(node);
  return id;
}

// A little longer than any call has, which ends it before.
constexpr auto no_end = max_patience + std::chrono::minutes{1};

}  // namespace

Outcome ping(Call& call) {
  const auto node = node_of(call);
  if (!node) return no_such_node();
  PingRequest request;
  if (const std::string wrong = decode_body(call.request.body, request); !wrong.empty())
    return error_reply(400, wrong);
  const NodePublic key = node->record->key;
  const std::string& body = call.request.body;
  const bool queued = enqueue(
      call, key, json_object([&](json::Writer& out) { json_member(out, "PingRequest", body); }), "ping");
  if (queued) call.state.passing.callbacks.pinged(request.url);
  call.flow.maps().wake(key);
  return flag_reply("enqueued", queued);
}

Outcome send_raw_map(Call& call) {
  const auto node = node_of(call);
  if (!node) return no_such_node();
  if (const std::string wrong = check_object(call.request.body); !wrong.empty())
    return error_reply(400, wrong);
  if (call.request.body.size() > max_map_message)
    return error_reply(400, "the body is too large for a frame");
  const NodePublic key = node->record->key;
  const bool queued = enqueue(call, key, call.request.body, "raw-map");
  if (queued) call.state.passing.raw_frames.stop_automatic(key);
  call.flow.maps().wake(key);
  return flag_reply("enqueued", queued);
}

Outcome allow_maps(Call& call) {
  const auto node = node_of(call);
  if (!node) return no_such_node();
  State& state = call.state;
  const NodePublic key = node->record->key;
  if (!state.passing.raw_frames.allow_automatic(key)) return Reply{};
  // Only test mode makes whole maps of changes that were dropped.
  if (!state.config.test_mode) {
    call.flow.maps().end_polls(key);
    return Reply{};
  }
  state.change_rules(
      call.request.call, true, [](Rules&) {}, [](const auto&) { return Reply{}; });
  return std::nullopt;
}

Outcome call_node(Call& call) {
  const auto node = node_of(call);
  if (!node) return no_such_node();
  C2nRequest request;
  if (const std::string wrong = parse_c2n(call.request.body, request); !wrong.empty())
    return error_reply(400, wrong);
  const auto id = begin(call, request, node->record->key);
  if (!id) return error_reply(409, "the node has no map poll");
  if (request.wait) return call.state.wait(call.request.call, no_end, answer_of(call.state, *id, c2n_reply));
  return object_reply([&](json::Writer& out) { text_member(out, "id", "c" + std::to_string(*id)); }, 201);
}

Outcome show_call(Call& call) {
  const auto timeout = patience(call.request.query);
  if (!timeout) return error_reply(400, "timeout must be a duration of at most 10m");
  const auto id = parse_name('c', call.request.args[0]);
  if (!id || !call.state.passing.callbacks.find(*id)) return error_reply(404, "no such call");
  return call.state.wait(call.request.call, *timeout,
                         [ask = answer_of(call.state, *id, c2n_reply)](bool over) -> Outcome {
                           auto answer = ask(over);
                           return answer || !over ? answer : Outcome(Reply{});
                         });
}

Outcome pass_to_node(Call& call) {
  const auto node = node_of(call);
  if (!node) return no_such_node();
  C2nRequest request;
  request.method = text(call.row.method);
  for (std::size_t arg = 1; arg < call.request.args.size(); ++arg)
    request.path += "/" + call.request.args[arg];
  if (!call.request.query.empty()) request.path += "?" + call.request.query;
  request.body = call.request.body;
  if (!is_request_path(request.path)) return error_reply(400, "the path has characters that must be escaped");
  const auto id = begin(call, request, node->record->key);
  if (!id) return error_reply(502, "the node has no map poll");
  return call.state.wait(call.request.call, no_end, answer_of(call.state, *id, raw_reply));
}

}  // namespace ts2021::admin
