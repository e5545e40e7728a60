// SPDX-License-Identifier: BSD-3-Clause
// Map requests that belong to a test.
#include "admin/body.h"
#include "admin/handlers.h"
#include "admin/query.h"

namespace ts2021::admin {
namespace {

Reply no_such_stream() { return error_reply(404, "no such stream"); }
Reply bad_timeout() { return error_reply(400, "timeout must be a duration of at most 10m"); }

std::optional<std::uint64_t> number_of(const Call& call) {
  const auto id = parse_number(call.request.args[0]);
  if (!id || *id < 1 || !call.state.passing.alt_streams.find(static_cast<std::uint64_t>(*id)))
    return std::nullopt;
  return static_cast<std::uint64_t>(*id);
}

}  // namespace

Outcome list_streams(Call& call) {
  const auto timeout = patience(call.request.query);
  if (!timeout) return bad_timeout();
  const auto after = parse_number(query_text(call.request.query, "after").value_or("0"));
  if (!after || *after < 0) return error_reply(400, "after must be a number from 0 on");
  return call.state.wait(call.request.call, *timeout,
                         [&streams = call.state.passing.alt_streams,
                          after = static_cast<std::uint64_t>(*after)](bool over) -> Outcome {
                           if (!over && !streams.has(after)) return std::nullopt;
                           return json_reply(streams.list(after));
                         });
}

Outcome show_stream(Call& call) {
  const auto timeout = patience(call.request.query);
  if (!timeout) return bad_timeout();
  const auto until = query_text(call.request.query, "wait");
  if (until && *until != "end") return error_reply(400, "wait must be end");
  const auto id = number_of(call);
  if (!id) return no_such_stream();
  return call.state.wait(call.request.call, until ? *timeout : Instant::duration{},
                         [&streams = call.state.passing.alt_streams, id = *id](bool over) -> Outcome {
                           const auto* const stream = streams.find(id);
                           if (!stream) return no_such_stream();
                           if (stream->open && !over) return std::nullopt;
                           return object_reply([&](json::Writer& out) {
                             number_member(out, "id", id);
                             flag_member(out, "open", stream->open);
                           });
                         });
}

Outcome send_message(Call& call) {
  const auto id = number_of(call);
  if (!id) return no_such_stream();
  if (const std::string wrong = check_object(call.request.body); !wrong.empty())
    return error_reply(400, wrong);
  State& state = call.state;
  AltStreams::Stream& stream = *state.passing.alt_streams.find(*id);
  if (!stream.open) return error_reply(410, "the stream has ended");
  auto pieces = state.frames.pack(call.request.body, stream.compression);
  if (!pieces) return error_reply(400, "the body is too large for a frame");
  stream.waiting.push_back({call.request.call, std::move(pieces)});
  call.flow.maps().send_alt(stream.key);
  return std::nullopt;
}

Outcome end_stream(Call& call) {
  const auto id = number_of(call);
  if (!id) return no_such_stream();
  const AltStreams::Stream& stream = *call.state.passing.alt_streams.find(*id);
  if (!stream.open) return error_reply(410, "the stream has ended");
  call.flow.maps().end_alt(stream.key);
  return Reply{};
}

}  // namespace ts2021::admin
