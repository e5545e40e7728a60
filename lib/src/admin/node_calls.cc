// SPDX-License-Identifier: BSD-3-Clause
// Nodes as stored, and what a person would do for them.
#include <algorithm>
#include <memory>

#include "admin/body.h"
#include "admin/handlers.h"
#include "admin/members.h"
#include "admin/query.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/node.h"

namespace ts2021::admin {
namespace {

constexpr std::int64_t max_fake_nodes = 100'000;  // of one call

}  // namespace

std::optional<NodePublic> key_of(const Call& call, std::size_t arg) {
  if (arg >= call.request.args.size()) return std::nullopt;
  const auto key = NodePublic::parse(call.request.args[arg]);
  return key ? std::optional(*key) : std::nullopt;
}

std::optional<Coordinator::NodeStatus> node_of(const Call& call, std::size_t arg) {
  const auto key = key_of(call, arg);
  return key ? call.state.coordinator->node(*key) : std::nullopt;
}

Reply no_such_node() { return error_reply(404, "no such node"); }

std::string document_path(const Call& call) {
  std::string path(call.row.pattern);
  for (std::size_t arg = 0, at = 0; (at = path.find("{}", at)) != path.npos; ++arg) {
    const auto key = key_of(call, arg);
    path.replace(at, 2, key ? key->text() : std::string());
  }
  return path;
}

Outcome list_nodes(Call& call) {
  auto nodes = call.state.coordinator->nodes();
  if (query_text(call.request.query, "count").value_or("0") != "0")
    return object_reply([&](json::Writer& out) { number_member(out, "count", nodes.size()); });
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const auto& a, const auto& b) { return a.record->stable_id < b.record->stable_id; });
  std::string list;
  json::Writer out(list);
  out.begin_array();
  for (const auto& node : nodes) {
    const std::string text = call.state.coordinator->node_json(node.record->id);
    if (!text.empty()) out.raw(text);
  }
  out.end_array();
  out.flush();
  return json_reply(std::move(list));
}

Outcome show_node(Call& call) {
  const auto node = node_of(call);
  std::string text = node ? call.state.coordinator->node_json(node->record->id) : std::string();
  if (text.empty()) return no_such_node();
  return json_reply(std::move(text));
}

Outcome put_node(Call& call) {
  const auto key = key_of(call);
  if (!key) return error_reply(400, "the path has no node key");
  const auto wake = pushes(call.request.query);
  if (!wake) return error_reply(400, "push must be true or false");
  Node node;
  if (const std::string wrong = decode_body(call.request.body, node); !wrong.empty())
    return error_reply(400, wrong);
  if (!node.key.is_zero() && node.key != *key) return error_reply(400, "\"Key\" is not the one of the path");
  call.state.order(call.request.call, *wake, coord_command::PutNode{*key, call.request.body},
                   [](const auto&) { return Reply{}; });
  return std::nullopt;
}

Outcome add_fake_nodes(Call& call) {
  const auto wake = pushes(call.request.query);
  if (!wake) return error_reply(400, "push must be true or false");
  json::Document document;
  Members body(document, call.request.body);
  std::int64_t count = 1;
  body.take("count", count);
  if (count < 0 || count > max_fake_nodes) body.refuse("count", "must be at most 100000");
  if (const std::string wrong = body.finish(); !wrong.empty()) return error_reply(400, wrong);
  call.state.order(call.request.call, *wake, coord_command::AddFakeNodes{static_cast<unsigned>(count)},
                   [](const coord_event::CommandDone& done) { return json_reply(done.body); });
  return std::nullopt;
}

Outcome await_poll(Call& call) {
  const auto timeout = patience(call.request.query);
  if (!timeout) return error_reply(400, "timeout must be a duration of at most 10m");
  if (!node_of(call)) return no_such_node();
  return call.state.wait(call.request.call, *timeout,
                         [&maps = call.flow.maps(), key = *key_of(call)](bool over) -> Outcome {
                           if (maps.polls(key)) return Reply{};
                           if (over) return error_reply(408, "the node has no map poll");
                           return std::nullopt;
                         });
}

Outcome approve(Call& call) {
  const auto wake = pushes(call.request.query);
  if (!wake) return error_reply(400, "push must be true or false");
  json::Document document;
  Members body(document, call.request.body);
  std::string url;
  const bool has_url = body.take("url", url);
  if (const std::string wrong = body.finish(); !wrong.empty()) return error_reply(400, wrong);
  const auto node = node_of(call);
  if (!node) return no_such_node();
  if (has_url && url != call.state.base_url() + "/admin") return flag_reply("ok", false);
  call.state.order(call.request.call, *wake, coord_command::ApproveNode{node->record->id, true},
                   [](const auto&) { return flag_reply("ok", true); });
  return std::nullopt;
}

Outcome complete_auth(Call& call) {
  const auto wake = pushes(call.request.query);
  if (!wake) return error_reply(400, "push must be true or false");
  json::Document document;
  Members body(document, call.request.body);
  std::string url, error, login_name;
  if (!body.take("url", url)) body.require("url");
  const bool fails = body.take("error", error) && !error.empty();
  body.take("loginName", login_name);
  if (const std::string wrong = body.finish(); !wrong.empty()) return error_reply(400, wrong);
  const std::string id(login_id(url));
  State& state = call.state;
  if (const auto* login = state.passing.logins.find(id); id.empty() || (login && login->completed))
    return flag_reply("ok", !id.empty());
  CoordOrder order = coord_command::CompleteLogin{id, login_name};
  if (fails) order = coord_command::FailLogin{id, error};
  state.order(
      call.request.call, *wake, std::move(order),
      [&state, id, url, fails](const coord_event::CommandDone& done) {
        auto* const login = state.passing.logins.find(id);
        if (done.status != 200 && done.status != 404) return error_reply(done.status, done.text);
        if (done.status == 404) return flag_reply("ok", login && login->completed);
        if (fails) return flag_reply("ok", true);
        if (login) login->completed = true;
        state.events.add(EventType::auth_complete, [&](json::Writer& out) {
          text_member(out, "nodeKey", (login ? login->node : NodePublic{}).text());
          text_member(out, "url", login ? login->url : url);
        });
        return flag_reply("ok", true);
      },
      Judge::then);
  return std::nullopt;
}

Outcome preview_map(Call& call) {
  MapRequest request;
  if (const std::string wrong = decode_body(call.request.body, request); !wrong.empty())
    return error_reply(400, wrong);
  const auto node = call.state.coordinator->node(request.node_key);
  std::string text = node ? call.state.coordinator->map_preview(node->record->id, call.state.now) : "";
  if (text.empty()) return no_such_node();
  return json_reply(std::move(text));
}

}  // namespace ts2021::admin
