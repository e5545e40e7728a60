// SPDX-License-Identifier: BSD-3-Clause
#include "h2/client_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "h2/session.h"

namespace ts2021::h2 {
namespace {

// Consecutive DATA frames of a stream become one event of about this size; one frame is never split.
constexpr std::size_t joined_data = 16 << 10;
// Of the event that was given out last, while there is no other.
constexpr std::size_t kept_data = 1 << 10;
// Resets, pings and settings of a server; as many as ours tolerates.
constexpr std::uint32_t max_resets_per_10_s = 100;

struct Stream {
  Outgoing out;
  bool answered = false;  // its ClientHead is queued
  bool ended = false;     // its ClientEnd is queued
  bool cancelled = false;
};

struct Queued {
  enum class Kind : std::uint8_t { head, data, end, gone } kind;
  std::int32_t stream;
  int status = 0;
  std::string text{};  // names and values of the head, one after the other
  std::vector<std::pair<std::uint32_t, std::uint32_t>> fields{};  // their sizes
  std::vector<std::uint8_t> bytes{};
  Error why{};
};

}  // namespace

struct ClientSession::Impl final : SessionOwner {
  Impl(const ClientLimits& limits, SlotPool* slots)
      : session({.side = Side::client,
                 .max_streams = 0,
                 .stream_window = limits.stream_window,
                 .connection_window = limits.connection_window,
                 .max_header_list = limits.max_header_list,
                 .max_resets_per_10_s = max_resets_per_10_s,
                 .slots = slots},
                *this) {}

  Stream* find(std::int32_t id) noexcept {
    const auto it = streams.find(id);
    return it == streams.end() ? nullptr : &it->second;
  }
  Stream* find_wanted(std::int32_t id) noexcept {
    Stream* const stream = find(id);
    return stream && !stream->cancelled ? stream : nullptr;
  }

  void on_head_begins(std::int32_t id, bool) noexcept override { head = Queued{Queued::Kind::head, id}; }

  void on_header(std::int32_t, std::string_view name, std::string_view value) noexcept override {
    if (name == ":status") {  // three digits: nghttp2 has checked that
      std::from_chars(value.data(), value.data() + value.size(), head.status);
      return;
    }
    head.text.append(name).append(value);
    head.fields.emplace_back(static_cast<std::uint32_t>(name.size()),
                             static_cast<std::uint32_t>(value.size()));
  }

  void on_head(std::int32_t id) noexcept override {
    Stream* const stream = find_wanted(id);
    const bool final_head = head.status >= 200;  // neither informational nor trailers
    if (stream && final_head && !stream->answered) {
      stream->answered = true;
      events.push_back(std::move(head));
    }
    head = Queued{Queued::Kind::head, 0};
  }

  void on_data(std::int32_t id, Bytes bytes) noexcept override {
    if (!find_wanted(id)) {
      session.consume_connection(bytes.size());
      return;
    }
    if (events.empty() || events.back().kind != Queued::Kind::data || events.back().stream != id ||
        events.back().bytes.size() + bytes.size() > joined_data)
      events.push_back({Queued::Kind::data, id});
    std::vector<std::uint8_t>& out = events.back().bytes;
    out.insert(out.end(), bytes.begin(), bytes.end());
  }

  void on_end(std::int32_t id) noexcept override {
    Stream* const stream = find_wanted(id);
    if (!stream || stream->ended) return;
    stream->ended = true;
    events.push_back({Queued::Kind::end, id});
  }

  void on_closed(std::int32_t id, std::uint32_t code) noexcept override {
    Stream* const stream = find(id);
    if (!stream) return;
    if (!stream->ended && !stream->cancelled) {
      Queued gone{Queued::Kind::gone, id};
      // H2-15: above the last stream nothing was done, so the caller may repeat it elsewhere.
      gone.why = last_stream && id > *last_stream ? fail(Errc::going_away, 425, code)
                                                  : fail(Errc::stream_reset, 426, code);
      events.push_back(std::move(gone));
    }
    streams.erase(id);
  }

  void on_going_away(std::int32_t last) noexcept override { last_stream = last; }

  void on_settings(std::span<const std::pair<std::uint16_t, std::uint32_t>> values) noexcept override {
    settings.assign(values.begin(), values.end());
  }

  Outgoing* outgoing(std::int32_t id) noexcept override {
    Stream* const stream = find(id);
    return stream ? &stream->out : nullptr;
  }
  void on_handed_over(std::int32_t) noexcept override {}
  void on_end_sent(std::int32_t) noexcept override {}

  // What was received and not yet given out does not count any more.
  void drop_events(std::int32_t id) {
    std::erase_if(events, [this, id](const Queued& queued) {
      if (queued.stream != id) return false;
      session.consume_connection(queued.bytes.size());
      return true;
    });
  }

  void all_gone(Error why) {
    for (const auto& [id, stream] : streams) {
      if (stream.ended || stream.cancelled) continue;
      Queued gone{Queued::Kind::gone, id};
      gone.why = why;
      events.push_back(std::move(gone));
    }
    streams.clear();
  }

  std::unordered_map<std::int32_t, Stream> streams;
  std::deque<Queued> events;
  Queued head{Queued::Kind::head, 0};     // the head being received
  Queued current{Queued::Kind::head, 0};  // what the caller's views point into
  std::vector<Header> current_headers;
  std::vector<std::pair<std::uint16_t, std::uint32_t>> settings;  // the server's first
  std::size_t unreleased = 0;                                     // bytes of data that next_event() gave out
  std::optional<std::int32_t> last_stream;                        // after GOAWAY
  Session session;                                                // last: its callbacks use all of the above
};

ClientSession::ClientSession(const ClientLimits& limits, SlotPool* slots)
    : impl_(std::make_unique<Impl>(limits, slots)) {}
ClientSession::~ClientSession() = default;

Result<void> ClientSession::feed(Bytes in, Now now) {
  const Result<void> fed = impl_->session.feed(in, now);
  if (!fed) impl_->all_gone(fed.error());
  return fed;
}

std::optional<ClientSessionEvent> ClientSession::next_event() {
  Impl& impl = *impl_;
  if (impl.events.empty()) {
    if (impl.current.bytes.capacity() > kept_data) impl.current.bytes = {};
    return std::nullopt;
  }
  impl.current = std::move(impl.events.front());
  impl.events.pop_front();
  const Queued& queued = impl.current;
  const StreamId stream{queued.stream};
  switch (queued.kind) {
    case Queued::Kind::head: {
      impl.current_headers.clear();
      std::string_view text = queued.text;
      for (const auto& [name, value] : queued.fields) {
        impl.current_headers.push_back({text.substr(0, name), text.substr(name, value)});
        text.remove_prefix(name + value);
      }
      return ClientHead{stream, queued.status, impl.current_headers};
    }
    case Queued::Kind::data:
      impl.unreleased += queued.bytes.size();
      return ClientData{stream, queued.bytes};
    case Queued::Kind::end:
      return ClientEnd{stream};
    case Queued::Kind::gone:
      break;
  }
  return ClientGone{stream, queued.why};
}

Result<StreamId> ClientSession::request(const ClientRequest& request, SharedBytes body) {
  Impl& impl = *impl_;
  if (impl.last_stream) return fail(Errc::going_away, 427);
  if (request.method.empty() || request.path.empty()) return fail(Errc::misuse, 428);
  std::array<char, 20> length;
  const char* const length_end =
      std::to_chars(length.data(), length.data() + length.size(), body ? body->size() : 0).ptr;
  std::vector<Header> headers{{":method", request.method}, {":scheme", request.scheme}};
  if (!request.authority.empty()) headers.push_back({":authority", request.authority});
  headers.push_back({":path", request.path});
  if (body)
    headers.push_back(
        {"content-length", {length.data(), static_cast<std::size_t>(length_end - length.data())}});
  headers.insert(headers.end(), request.headers.begin(), request.headers.end());
  const bool with_body = body && !body->empty();
  const Result<std::int32_t> id = impl.session.submit_request(headers, with_body);
  if (!id) return id.error();
  Stream& stream = impl.streams[*id];
  if (with_body) {
    stream.out.set(std::span(&body, 1));
    stream.out.finish();
  }
  return StreamId{*id};
}

void ClientSession::release(StreamId stream, std::size_t bytes) {
  bytes = std::min(bytes, impl_->unreleased);
  impl_->unreleased -= bytes;
  impl_->session.consume_connection(bytes);
  impl_->session.consume_stream(static_cast<std::int32_t>(stream), bytes);
}

void ClientSession::cancel(StreamId stream) {
  const auto id = static_cast<std::int32_t>(stream);
  impl_->drop_events(id);
  Stream* const found = impl_->find_wanted(id);
  if (!found) return;
  found->cancelled = true;
  impl_->session.reset(id, Code::cancel);
}

Result<void> ClientSession::drain_to(FrameSink sink) {
  const Result<void> drained = impl_->session.drain_to(sink);
  if (!drained) impl_->all_gone(drained.error());
  return drained;
}

bool ClientSession::wants_output() const noexcept { return impl_->session.wants_output(); }
bool ClientSession::settings_received() const noexcept { return impl_->session.settings_received(); }
std::span<const std::pair<std::uint16_t, std::uint32_t>> ClientSession::settings() const noexcept {
  return impl_->settings;
}
bool ClientSession::finished() const noexcept { return impl_->session.finished(); }

}  // namespace ts2021::h2
