// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/conformance/node_calls.h"

#include <algorithm>

namespace ts2021::app::conformance {

std::string told(const Answer& answer) {
  std::string_view text = answer.text();
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::string status = "status " + std::to_string(answer.status);
  return text.empty() ? status : status + " \"" + printable(text, 200) + "\"";
}

MapPoll::MapPoll(Context& context, TestNode& node, const MapRequest& request)
    : compression_(parse_compression(request.compress)),
      unpacker_(compression_, 64 << 20),
      fold_(request.version) {
  context.pace();
  ClientConfig config;
  config.machine = &node.machine;
  config.server = context.noise_key();
  config.version = context.version();
  session_ = std::make_unique<Session>(context.plan().url, context.plan().dial, config);
  if (const auto ready = session_->ready(now().mono + context.patience().answer); !ready)
    throw Obstacle("no connection for the map: " + std::string(text(ready.error().code)));
  const auto stream =
      session_->connection().request({"POST", "/machine/map", {}}, share(encoded(request, request.version)));
  if (!stream) throw Obstacle("no stream for the map");
  stream_ = *stream;
}

void MapPoll::take(Bytes bytes) {
  while (!bytes.empty() && trouble_.empty()) {
    const auto taken = frames_.feed(bytes);
    if (!taken) {
      trouble_ = "MAP-3: a message of size 0, or above 16 MiB";
      return;
    }
    bytes = bytes.subspan(*taken);
    if (!frames_.ready()) continue;
    MapMessage& message = messages_.emplace_back();
    const Bytes packed = frames_.frame();
    message.packed.assign(packed.begin(), packed.end());
    const auto json = unpacker_.unpack(packed);
    if (!json) {
      trouble_ = "MAP-2: " + std::string(text(json.error().code));
      return;
    }
    message.json = as_text(*json);
    auto response = decode_copy<MapResponse>(*json);
    if (!response) {
      trouble_ = "a message that can't be read: " + std::string(text(response.error().code));
      return;
    }
    message.response = *std::move(response);
    for (const Finding& finding : fold_.apply(message.response))
      findings_.push_back({std::string(finding.rule) + " " + std::string(finding.text) +
                               (finding.node == NodeId{}
                                    ? ""
                                    : ", node " + std::to_string(static_cast<std::uint64_t>(finding.node))) +
                               ", message " + std::to_string(messages_.size()),
                           finding.harm});
    std::ranges::stable_sort(findings_, std::ranges::greater{}, &Found::harm);
  }
}

bool MapPoll::on_event(const ClientEvent& event) {
  if (const auto* head = std::get_if<event::ResponseHead>(&event); head && head->stream == stream_) {
    status_ = head->status;
  } else if (const auto* data = std::get_if<event::ResponseData>(&event); data && data->stream == stream_) {
    session_->connection().release(stream_, data->bytes.size());
    if (status_ == 200)
      take(data->bytes);
    else if (refusal_.size() < 200)
      refusal_ += as_text(data->bytes);
  } else if (const auto* end = std::get_if<event::ResponseEnd>(&event); end && end->stream == stream_) {
    ended_ = true;
  } else if (const auto* gone = std::get_if<event::StreamGone>(&event); gone && gone->stream == stream_) {
    ended_ = true;
    trouble_ = "the stream was reset";
  } else if (const auto* closed = std::get_if<event::Closed>(&event)) {
    ended_ = true;
    trouble_ = "the connection ended: " + std::string(text(closed->why.code));
  }
  return !ended_;
}

bool MapPoll::wait(const std::function<bool(const MapPoll&)>& enough, std::chrono::milliseconds patience) {
  const Instant until = now().mono + patience;
  bool good = enough(*this);
  if (!good && !ended_)
    session_->run(
        [&](const ClientEvent& event) {
          const bool more = on_event(event);
          good = enough(*this);
          return more && !good && trouble_.empty();
        },
        {}, until);
  return good;
}

const MapMessage& MapPoll::first(std::chrono::milliseconds patience) {
  const auto is_map = [](const MapMessage& message) { return !message.response.keep_alive; };
  (void)wait(
      [&](const MapPoll& poll) {
        return std::ranges::any_of(poll.messages_, is_map) && poll.trouble_.empty();
      },
      patience);
  if (!trouble_.empty() || status_ != 200) throw Obstacle("no map: " + state());
  const auto found = std::ranges::find_if(messages_, is_map);
  if (found == messages_.end()) throw Obstacle("no map in time: " + state());
  return *found;
}

std::string MapPoll::state() const {
  std::string text = status_ == 0 ? "no answer"
                     : status_ == 200
                         ? std::to_string(messages_.size()) + " messages"
                         : "status " + std::to_string(status_) + " \"" + printable(refusal_) + "\"";
  text += ended_ ? ", ended" : ", left open";
  return trouble_.empty() ? text : text + ", " + trouble_;
}

}  // namespace ts2021::app::conformance
