// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/node/call.h"

#include <optional>

#include "common/printable.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/node/rule.h"

namespace ts2021::app {

std::string_view Answer::header(std::string_view name) const noexcept {
  for (const auto& [its_name, value] : headers)
    if (same_token(its_name, name)) return value;
  return {};
}

CallError::CallError(Error why, const std::string& more)
    : std::runtime_error(describe(why) + (more.empty() ? "" : ": " + printable(more))), why_(why) {}

Answer call(Session& session, const Call& call, const CallLimits& limits, const Session::OnEvent& others) {
  std::optional<Instant> until;
  if (limits.deadline.count() > 0) until = now().mono + limits.deadline;
  if (const auto ready = session.ready(until); !ready)
    throw CallError(ready.error(), std::string(session.connection().refusal()));

  std::vector<Header> headers;
  for (const auto& [name, value] : call.headers) headers.push_back({name, value});
  const bool bare = call.body.empty() && (call.method == "GET" || call.method == "HEAD");
  const auto stream =
      session.connection().request({call.method, call.path, headers}, bare ? nullptr : share(call.body));
  if (!stream) throw CallError(stream.error());

  Answer answer;
  std::optional<Error> failure;
  bool complete = false;
  session.run(
      [&](const ClientEvent& event) {
        if (const auto* head = std::get_if<event::ResponseHead>(&event); head && head->stream == *stream) {
          answer.status = head->status;
          for (const Header& header : head->headers) answer.headers.emplace_back(header.name, header.value);
        } else if (const auto* data = std::get_if<event::ResponseData>(&event);
                   data && data->stream == *stream) {
          if (answer.body.size() + data->bytes.size() > limits.max_body)
            failure = fail(Errc::limit_exceeded, 0);
          else
            answer.body.insert(answer.body.end(), data->bytes.begin(), data->bytes.end());
          session.connection().release(*stream, data->bytes.size());
        } else if (const auto* end = std::get_if<event::ResponseEnd>(&event); end && end->stream == *stream) {
          complete = true;
        } else if (const auto* gone = std::get_if<event::StreamGone>(&event);
                   gone && gone->stream == *stream) {
          failure = gone->why;
        } else if (const auto* closed = std::get_if<event::Closed>(&event)) {
          failure = closed->why;
        } else if (others) {
          return others(event);
        }
        return !complete && !failure;
      },
      {}, until);
  if (complete) return answer;
  if (!failure) failure = fail(Errc::timeout, 0);
  session.connection().cancel(*stream);
  throw CallError(*failure);
}

}  // namespace ts2021::app
