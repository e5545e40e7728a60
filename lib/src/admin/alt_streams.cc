// SPDX-License-Identifier: BSD-3-Clause
#include "admin/alt_streams.h"

#include <utility>

#include "admin/reply.h"

namespace ts2021::admin {

std::uint64_t AltStreams::add(Stream stream) {
  open_[stream.key] = ++last_;
  streams_.emplace(last_, std::move(stream));
  return last_;
}

AltStreams::Stream* AltStreams::find(std::uint64_t id) {
  const auto at = streams_.find(id);
  return at == streams_.end() ? nullptr : &at->second;
}

AltStreams::Stream* AltStreams::find(StreamKey key) {
  const auto at = open_.find(key);
  return at == open_.end() ? nullptr : find(at->second);
}

std::string AltStreams::list(std::uint64_t after) const {
  return json_object([&](json::Writer& out) {
    out.plain_name("streams");
    out.begin_array();
    for (auto at = streams_.upper_bound(after); at != streams_.end(); ++at) {
      out.begin_object();
      number_member(out, "id", at->first);
      text_member(out, "nodeKey", at->second.node.text());
      json_member(out, "request", at->second.request);
      flag_member(out, "open", at->second.open);
      out.end_object();
    }
    out.end_array();
  });
}

std::deque<CallId> AltStreams::end(std::uint64_t id, Instant now) {
  std::deque<CallId> told;
  Stream* const stream = find(id);
  if (!stream || !std::exchange(stream->open, false)) return told;
  open_.erase(stream->key);
  stream->forget_at = now + kept;
  if (stream->leaving) told.push_back(*std::exchange(stream->leaving, std::nullopt));
  for (const Message& message : std::exchange(stream->waiting, {})) told.push_back(message.call);
  return told;
}

std::deque<CallId> AltStreams::end(StreamKey key, Instant now) {
  const auto at = open_.find(key);
  return at == open_.end() ? std::deque<CallId>{} : end(at->second, now);
}

void AltStreams::withdraw(CallId call) {
  for (auto& [id, stream] : streams_) {
    if (stream.leaving == call) stream.leaving.reset();
    std::erase_if(stream.waiting, [call](const Message& message) { return message.call == call; });
  }
}

void AltStreams::advance(Instant now) {
  std::erase_if(streams_, [now](const auto& one) { return !one.second.open && one.second.forget_at <= now; });
}

}  // namespace ts2021::admin
