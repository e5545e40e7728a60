// SPDX-License-Identifier: BSD-3-Clause
#include "h2/server_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/try.h"
#include "h2/session.h"

namespace ts2021::h2 {
namespace {

// What a content-length may reserve before any byte of the body has come.
constexpr std::size_t max_reserved = 4 << 10;
// Heads of all requests that are not released yet; 200 requests of real clients are 60 KB.
constexpr std::size_t max_heads = 256 << 10;
constexpr std::size_t no_length = SIZE_MAX;

// What a request needs until release().
struct Inbound {
  struct Field {
    std::uint32_t at, name_size, value_size;  // in `text`, the value behind the name
  };
  std::string text;  // the fields of the head
  std::vector<Field> fields;
  std::vector<Header> headers;  // views of `text`, once the head is complete
  std::string_view method, target;
  Field method_field{}, target_field{};
  std::size_t content_length = no_length, max_body = 0;
  std::size_t admitted = 0;  // bytes of Impl::admitted that are this request's
  std::vector<std::uint8_t> body;
  Request request;
};

// head ──match──▶ body ──END_STREAM──▶ asked ──next_event()──▶ given ──respond()──▶ answered ──▶ ended
//  └─ no match, too long ──────────────────────────────────────────────────────────▶ answered      ▲
//                                           given ──start_stream()──▶ streaming ──end_stream()──▶ answered
enum class Phase : std::uint8_t { head, body, asked, given, streaming, answered, ended };

struct Stream {
  std::unique_ptr<Inbound> in;  // null once released, or answered here
  Outgoing out;
  Phase phase = Phase::head;
  Instant began{};
  bool given = false;  // next_event() gave its Request out
  bool is_head = false;
  bool reset = false;   // by us
  bool closed = false;  // nghttp2 has forgotten it; only `in` is left
};

struct Queued {
  enum class Kind : std::uint8_t { request, writable, closed } kind;
  std::int32_t stream;
  Error why{};
};

struct Number {
  std::array<char, 20> text;
  std::size_t size;
  explicit Number(std::size_t value) noexcept {
    size = static_cast<std::size_t>(std::to_chars(text.data(), text.data() + text.size(), value).ptr -
                                    text.data());
  }
  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), size}; }
};

}  // namespace

struct ServerSession::Impl final : SessionOwner {
  Impl(std::span<const Route> all_routes, const ServerLimits& all_limits, bool tell, SlotPool* slots)
      : routes(all_routes),
        limits(all_limits),
        tell_unrouted(tell),
        session({.side = Side::server,
                 .max_streams = limits.max_streams,
                 .stream_window = limits.stream_window,
                 .connection_window =
                     static_cast<std::uint32_t>(std::min<std::size_t>(limits.max_bodies, INT32_MAX)),
                 .max_header_list = limits.max_header_list,
                 .max_resets_per_10_s = limits.max_resets_per_10_s,
                 .slots = slots},
                *this) {}

  Stream* find(std::int32_t id) noexcept {
    const auto it = streams.find(id);
    return it == streams.end() ? nullptr : &it->second;
  }
  Stream* find_open(std::int32_t id) noexcept {
    Stream* const stream = find(id);
    return stream && !stream->closed && !stream->reset ? stream : nullptr;
  }

  // Input.
  void on_head_begins(std::int32_t id, bool first) noexcept override {
    if (!first) return;
    if (streams.size() >= limits.refuse_above || heads > max_heads) {
      session.reset(id, Code::refused_stream);  // H2-7
      return;
    }
    Stream& stream = streams[id];
    stream.in = std::make_unique<Inbound>();
    stream.began = now;
    ++open;
  }

  void on_header(std::int32_t id, std::string_view name, std::string_view value) noexcept override {
    Stream* const stream = find(id);
    if (!stream || stream->phase != Phase::head) return;  // refused, or trailers (H2-13)
    Inbound& in = *stream->in;
    const bool pseudo = name.starts_with(':');
    if (pseudo && name != ":method" && name != ":path") return;  // H2-10
    const Inbound::Field field{static_cast<std::uint32_t>(in.text.size()),
                               static_cast<std::uint32_t>(name.size()),
                               static_cast<std::uint32_t>(value.size())};
    in.text.append(name).append(value);
    heads += name.size() + value.size();
    if (name == ":method")
      in.method_field = field;
    else if (name == ":path")
      in.target_field = field;
    else
      in.fields.push_back(field);
    if (name == "content-length") {
      // nghttp2 has checked that it is a number; one that does not fit is too long for everybody.
      std::size_t length = 0;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length);
      in.content_length = parsed.ec == std::errc{} ? length : no_length - 1;
    }
  }

  void on_head(std::int32_t id) noexcept override {
    Stream* const stream = find(id);
    if (!stream || stream->phase != Phase::head) return;
    Inbound& in = *stream->in;
    const auto value = [&in](const Inbound::Field& field) {
      return std::string_view(in.text).substr(field.at + field.name_size, field.value_size);
    };
    in.headers.reserve(in.fields.size());
    for (const Inbound::Field& field : in.fields)
      in.headers.push_back({std::string_view(in.text).substr(field.at, field.name_size), value(field)});
    in.fields = {};

    Request& request = in.request;
    request.stream = StreamId{id};
    request.site = Site::noise;
    request.method = parse_method(value(in.method_field));
    request.headers = in.headers;
    stream->is_head = request.method == Method::head;
    stream->phase = Phase::body;
    RouteMatch match;  // H2-10
    if (split_target(value(in.target_field), request.path, request.query))
      match = match_route(routes, Site::noise, request.method, request.path);
    if (tell_unrouted && match.kind != RouteMatch::Kind::found)
      unrouted.push_back(Unrouted::of(Site::noise, value(in.method_field), request.path));
    switch (match.kind) {
      case RouteMatch::Kind::unknown:
        return answer(id, *stream, 404, "not found\n");
      case RouteMatch::Kind::wrong_method: {
        std::string allow;
        for (std::size_t i = 0; i < match.allowed_count; ++i) {
          allow.append(allow.empty() ? "" : ", ").append(text(match.allowed[i]));
          if (match.allowed[i] == Method::get) allow.append(", HEAD");
        }
        return answer(id, *stream, 405, "method not allowed\n", allow);
      }
      case RouteMatch::Kind::found:
        break;
    }
    request.route = match.id;
    request.args = match.args;
    in.max_body = std::min(match.max_body, limits.max_bodies / 2);
    if (in.content_length == no_length) return;
    if (in.content_length > in.max_body) return too_large(id, *stream);
    // H2-8: bodies that can't all be held would wait for each other's window until their deadline. Half of it
    // may be released and not yet announced.
    if (in.content_length > limits.max_bodies / 2 - admitted) {
      free_inbound(*stream);
      stream->phase = Phase::answered;
      return session.reset(id, Code::refused_stream);
    }
    in.admitted = in.content_length;
    admitted += in.admitted;
  }

  void on_data(std::int32_t id, Bytes bytes) noexcept override {
    Stream* const stream = find(id);
    if (!stream || stream->phase != Phase::body) {
      session.consume_connection(bytes.size());
      return;
    }
    Inbound& in = *stream->in;
    if (bytes.size() > in.max_body - in.body.size()) {
      session.consume_connection(bytes.size());
      return too_large(id, *stream);
    }
    if (in.body.empty() && in.content_length != no_length)
      in.body.reserve(std::min(in.content_length, max_reserved) + body_padding);
    in.body.insert(in.body.end(), bytes.begin(), bytes.end());
    unreleased += bytes.size();
    session.consume_stream(id, bytes.size());  // H2-8: the connection's window stays closed by as much
  }

  void on_end(std::int32_t id) noexcept override {
    Stream* const stream = find(id);
    if (!stream || stream->phase != Phase::body) return;
    Inbound& in = *stream->in;
    const std::size_t size = in.body.size();
    in.body.resize(size + body_padding);
    in.request.body = Bytes(in.body).first(size);
    stream->phase = Phase::asked;
    events.push_back({Queued::Kind::request, id});
  }

  void on_closed(std::int32_t id, std::uint32_t code) noexcept override {
    Stream* const stream = find(id);
    if (!stream || stream->closed) return;
    --open;
    if (stream->given && stream->phase != Phase::ended && !stream->reset)
      events.push_back({Queued::Kind::closed, id, fail(Errc::stream_reset, 418, code)});
    if (!stream->given) free_inbound(*stream);
    if (!stream->in) {
      streams.erase(id);
      return;
    }
    stream->closed = true;
    stream->out = {};
  }

  void on_going_away(std::int32_t) noexcept override {}

  // Output.
  Outgoing* outgoing(std::int32_t id) noexcept override {
    Stream* const stream = find(id);
    return stream && !stream->closed ? &stream->out : nullptr;
  }

  void on_handed_over(std::int32_t id) noexcept override {
    const Stream* const stream = find(id);
    if (stream && stream->phase == Phase::streaming) events.push_back({Queued::Kind::writable, id});
  }

  void on_end_sent(std::int32_t id) noexcept override {
    Stream* const stream = find(id);
    if (!stream) return;
    stream->phase = Phase::ended;
    if (!session.input_ended(id)) session.reset(id, Code::no_error);  // H2-11
  }

  // An answer of our own; what has come of the request is forgotten.
  void answer(std::int32_t id, Stream& stream, int status, std::string_view body,
              std::string_view allow = {}) {
    free_inbound(stream);
    const std::array<Header, 2> more{{{"x-content-type-options", "nosniff"}, {"allow", allow}}};
    const ResponseHead head{status, "text/plain; charset=utf-8",
                            std::span<const Header>(more).first(allow.empty() ? 1 : 2)};
    stream.phase = Phase::given;
    if (!respond(id, stream, head, share(body))) session.reset(id, Code::internal_error);
  }

  void too_large(std::int32_t id, Stream& stream) { answer(id, stream, 413, "request body too large\n"); }

  void free_inbound(Stream& stream) noexcept {
    if (!stream.in) return;
    Inbound& in = *stream.in;
    const std::size_t padding = stream.phase == Phase::head || stream.phase == Phase::body ? 0 : body_padding;
    const std::size_t size = in.body.size() - padding;
    heads -= in.text.size();
    admitted -= in.admitted;
    unreleased -= size;
    session.consume_connection(size);
    stream.in.reset();
  }

  // The head of an answer. `size`: of the body, when known.
  Result<void> submit(std::int32_t id, const ResponseHead& head, std::size_t size, bool body) {
    if (head.status < 200 || head.status > 599) return fail(Errc::misuse, 419);
    const Number status(static_cast<std::size_t>(head.status));
    const Number length(size == no_length ? 0 : size);
    std::vector<Header> headers;
    headers.reserve(head.more.size() + 3);
    headers.push_back({":status", status.view()});
    if (!head.content_type.empty()) headers.push_back({"content-type", head.content_type});
    if (size != no_length && head.status != 204 && head.status != 304)
      headers.push_back({"content-length", length.view()});
    headers.insert(headers.end(), head.more.begin(), head.more.end());
    return session.submit_response(id, headers, body);
  }

  Result<void> respond(std::int32_t id, Stream& stream, const ResponseHead& head, const SharedBytes& body) {
    if (stream.phase != Phase::given) return fail(Errc::misuse, 420);
    const std::size_t size = body ? body->size() : 0;
    const bool with_body = size > 0 && !stream.is_head;
    TS_CHECK(submit(id, head, size, with_body));
    if (with_body) {
      stream.out.set(std::span(&body, 1));
      stream.out.finish();
    }
    stream.phase = Phase::answered;
    return {};
  }

  std::span<const Route> routes;
  ServerLimits limits;
  const bool tell_unrouted;
  std::unordered_map<std::int32_t, Stream> streams;
  Instant now{};               // of the latest feed()
  std::size_t open = 0;        // streams that nghttp2 has
  std::size_t heads = 0;       // bytes of all Inbound::text
  std::size_t unreleased = 0;  // bytes of all bodies
  std::size_t admitted = 0;    // content-length of all requests that are not released
  std::vector<Queued> events;
  std::size_t next_event = 0;
  std::vector<Unrouted> unrouted;  // as many as streams at most, and as resets
  bool draining = false;
  Session session;  // last: its callbacks use all of the above
};

ServerSession::ServerSession(std::span<const Route> routes, const ServerLimits& limits, bool tell_unrouted,
                             SlotPool* slots)
    : impl_(std::make_unique<Impl>(routes, limits, tell_unrouted, slots)) {}
ServerSession::~ServerSession() = default;

Result<void> ServerSession::feed(Bytes in, Now now) {
  impl_->now = now.mono;
  return impl_->session.feed(in, now);
}

std::optional<ServerSessionEvent> ServerSession::next_event() {
  if (!impl_->unrouted.empty()) {
    Unrouted first = std::move(impl_->unrouted.front());
    impl_->unrouted.erase(impl_->unrouted.begin());
    return first;
  }
  while (impl_->next_event < impl_->events.size()) {
    const Queued queued = impl_->events[impl_->next_event++];
    if (impl_->next_event == impl_->events.size()) {
      impl_->events.clear();
      impl_->next_event = 0;
    }
    Stream* const stream = impl_->find(queued.stream);
    switch (queued.kind) {
      case Queued::Kind::request:
        if (!stream || stream->phase != Phase::asked) break;
        stream->phase = Phase::given;
        stream->given = true;
        return stream->in->request;
      case Queued::Kind::writable:
        if (stream && stream->phase == Phase::streaming && !stream->closed)
          return StreamWritable{StreamId{queued.stream}};
        break;
      case Queued::Kind::closed:
        return StreamClosed{StreamId{queued.stream}, queued.why};
    }
  }
  return std::nullopt;
}

Result<void> ServerSession::respond(StreamId stream, const ResponseHead& head, SharedBytes body) {
  const auto id = static_cast<std::int32_t>(stream);
  Stream* const found = impl_->find_open(id);
  if (!found) return fail(Errc::misuse, 421);
  return impl_->respond(id, *found, head, body);
}

Result<void> ServerSession::start_stream(StreamId stream, const ResponseHead& head) {
  const auto id = static_cast<std::int32_t>(stream);
  Stream* const found = impl_->find_open(id);
  if (!found || found->phase != Phase::given) return fail(Errc::misuse, 422);
  TS_CHECK(impl_->submit(id, head, no_length, !found->is_head));
  found->phase = found->is_head ? Phase::answered : Phase::streaming;
  return {};
}

Result<bool> ServerSession::push(StreamId stream, std::span<const SharedBytes> pieces) {
  const auto id = static_cast<std::int32_t>(stream);
  Stream* const found = impl_->find_open(id);
  if (!found || found->phase != Phase::streaming) return fail(Errc::misuse, 423);
  if (found->out.left() > 0) return false;
  found->out.set(pieces);
  if (found->out.left() == 0)
    impl_->on_handed_over(id);
  else
    impl_->session.resume(id);
  return true;
}

Result<void> ServerSession::end_stream(StreamId stream) {
  const auto id = static_cast<std::int32_t>(stream);
  Stream* const found = impl_->find_open(id);
  if (!found || found->phase != Phase::streaming) return fail(Errc::misuse, 424);
  found->phase = Phase::answered;
  found->out.finish();
  impl_->session.resume(id);
  return {};
}

void ServerSession::reset_stream(StreamId stream) {
  const auto id = static_cast<std::int32_t>(stream);
  Stream* const found = impl_->find_open(id);
  if (!found) return;
  found->reset = true;
  impl_->session.reset(id, Code::internal_error);
}

void ServerSession::release(StreamId stream) {
  const auto id = static_cast<std::int32_t>(stream);
  Stream* const found = impl_->find(id);
  if (!found || !found->given) return;
  impl_->free_inbound(*found);
  if (found->closed) impl_->streams.erase(id);
}

void ServerSession::drain() {
  if (impl_->draining) return;
  impl_->draining = true;
  impl_->session.go_away();
}

Result<void> ServerSession::drain_to(FrameSink sink) { return impl_->session.drain_to(sink); }
bool ServerSession::wants_output() const noexcept { return impl_->session.wants_output(); }
bool ServerSession::preface_received() const noexcept { return impl_->session.settings_received(); }
std::size_t ServerSession::open_streams() const noexcept { return impl_->open; }
std::optional<Instant> ServerSession::oldest_incomplete() const noexcept {
  std::optional<Instant> oldest;
  for (const auto& [id, stream] : impl_->streams)
    if (!stream.closed && !stream.reset && (stream.phase == Phase::head || stream.phase == Phase::body))
      if (!oldest || stream.began < *oldest) oldest = stream.began;
  return oldest;
}
std::size_t ServerSession::unreleased_bytes() const noexcept { return impl_->unreleased; }
std::size_t ServerSession::unsent(StreamId stream) const noexcept {
  const Stream* const found = impl_->find_open(static_cast<std::int32_t>(stream));
  return found ? found->out.left() : 0;
}
bool ServerSession::finished() const noexcept { return impl_->session.finished(); }

}  // namespace ts2021::h2
