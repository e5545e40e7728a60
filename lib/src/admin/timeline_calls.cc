// SPDX-License-Identifier: BSD-3-Clause
// Looking on, as people do.
#include "admin/handlers.h"
#include "admin/page.h"
#include "admin/query.h"

namespace ts2021::admin {
namespace {

bool is_known(const Call& call, const NodePublic& node) {
  return call.state.timeline.knows(node) || call.state.coordinator->node(node);
}

}  // namespace

Outcome show_timeline(Call& call) {
  const std::string& query = call.request.query;
  const auto timeout = patience(query);
  if (!timeout) return error_reply(400, "timeout must be a duration of at most 10m");
  const auto after = parse_number(query_text(query, "after").value_or("0"));
  if (!after || *after < -1) return error_reply(400, "after must be a number from -1 on");
  std::optional<NodePublic> node;
  if (const auto name = query_text(query, "node")) {
    const auto key = NodePublic::parse(*name);
    if (!key) return error_reply(400, "node must be a node key");
    if (!is_known(call, *key)) return no_such_node();
    node = *key;
  }
  const auto tell = [&state = call.state, &maps = call.flow.maps(), node](std::uint64_t seen) {
    return object_reply([&](json::Writer& out) {
      state.timeline.tell(node, seen, out);
      out.plain_name("streams");
      maps.tell_streams(node, out);
    });
  };
  const Timeline& timeline = call.state.timeline;
  if (*after == -1) return tell(timeline.last());
  return call.state.wait(
      call.request.call, *timeout,
      [&timeline, node, tell, seen = static_cast<std::uint64_t>(*after)](bool over) -> Outcome {
        if (!over && !timeline.has(node, seen)) return std::nullopt;
        return tell(seen);
      });
}

// No sources but the page's own text, and no frames. It says nothing of any node: it asks for that.
Outcome show_page(Call&) {
  Reply reply{200, std::string(page_text()), "text/html; charset=utf-8", {}, {}};
  reply.headers = {{"Cache-Control", "no-store"},
                   {"Content-Security-Policy", std::string(page_policy())},
                   {"Referrer-Policy", "no-referrer"},
                   {"X-Content-Type-Options", "nosniff"}};
  return reply;
}

}  // namespace ts2021::admin
