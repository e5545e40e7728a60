// SPDX-License-Identifier: BSD-3-Clause
// Looking on.
#include "admin/handlers.h"
#include "admin/query.h"

namespace ts2021::admin {

Outcome list_events(Call& call) {
  const std::string& query = call.request.query;
  const auto timeout = patience(query);
  if (!timeout) return error_reply(400, "timeout must be a duration of at most 10m");
  const std::string names = query_text(query, "type").value_or("");
  std::string_view unknown;
  const auto types = Events::parse_types(names, unknown);
  if (!types) return error_reply(400, "type \"" + std::string(unknown) + "\" is unknown");
  const auto after = parse_number(query_text(query, "after").value_or("0"));
  if (!after || *after < -1) return error_reply(400, "after must be a number from -1 on");
  Events& events = call.state.events;
  if (*after == -1) return json_reply(events.tell(*types, events.last()));
  return call.state.wait(
      call.request.call, *timeout,
      [&events, types = *types, after = static_cast<std::uint64_t>(*after)](bool over) -> Outcome {
        if (!over && !events.has(types, after)) return std::nullopt;
        return json_reply(events.tell(types, after));
      });
}

Outcome show_stats(Call& call) {
  return object_reply([&](json::Writer& out) {
    number_member(out, "inServeMap", call.flow.maps().in_serve_map());
    number_member(out, "unhandled", call.state.unhandled);
  });
}

}  // namespace ts2021::admin
