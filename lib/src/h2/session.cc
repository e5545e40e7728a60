// SPDX-License-Identifier: BSD-3-Clause
#include "h2/session.h"

#include <algorithm>
#include <array>

#include "h2/nghttp2_compat.h"

namespace ts2021::h2 {
namespace {

// Other frames than DATA that are pulled out of nghttp2 before the sink has room; more stay inside, where the
// number of open streams bounds them.
constexpr std::size_t max_waiting = 16 << 10;
// Room that an idle session keeps for them.
constexpr std::size_t kept_waiting = 256;
// Frames that cost us next to nothing each are allowed more often than resets, pings and settings.
constexpr std::uint32_t idle_factor = 10;
// Clients open windows by 4 KiB or more (H2-12); who opens them by less wants tiny DATA frames.
constexpr std::int32_t small_increment = 1024;
// The smallest client accepts response heads of 16 KiB (H2-3).
constexpr std::size_t max_sent_head = 8 << 10;
constexpr std::size_t max_told_settings = 32;

std::string_view view(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

nghttp2_nv field(const Header& header) noexcept {
  // nghttp2 takes them as mutable and copies them.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(header.name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(header.value.data())), header.name.size(),
          header.value.size(), NGHTTP2_NV_FLAG_NONE};
}

Result<std::vector<nghttp2_nv>> fields(std::span<const Header> headers) {
  std::vector<nghttp2_nv> out;
  out.reserve(headers.size());
  std::size_t size = 0;
  for (const Header& header : headers) {
    out.push_back(field(header));
    if (!nghttp2_check_header_value(out.back().value, out.back().valuelen)) return fail(Errc::misuse, 401);
    size += header.name.size() + header.value.size() + 32;
  }
  if (size > max_sent_head) return fail(Errc::limit_exceeded, 402, max_sent_head);
  return out;
}

}  // namespace

struct Session::Callbacks {
  static Session& of(void* user) noexcept { return *static_cast<Session*>(user); }
  static int result(const Session& session) noexcept {
    return session.error_ ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
  }

  // H2-9: resets, pings and settings cost us frames or the work of a request; empty DATA and priorities only
  // time.
  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) noexcept {
    Session& session = of(user);
    const bool ack = head->flags & NGHTTP2_FLAG_ACK;
    switch (head->type) {
      case NGHTTP2_RST_STREAM:  // a server can reset no more than we asked for
        if (session.server_) session.count_costly();
        break;
      case NGHTTP2_PING:
        session.count_costly();
        break;
      case NGHTTP2_SETTINGS:
        if (!ack) session.count_costly();
        break;
      case NGHTTP2_DATA:
        if (head->length == 0 && !(head->flags & NGHTTP2_FLAG_END_STREAM)) session.count_idle();
        break;
      case NGHTTP2_PRIORITY:
      case NGHTTP2_GOAWAY:
        session.count_idle();
        break;
      case NGHTTP2_PUSH_PROMISE:  // H2-14
        session.raise(fail(Errc::http2_protocol, 403), Code::protocol_error);
        break;
      default:
        break;
    }
    return result(session);
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
    Session& session = of(user);
    session.head_size_ = 0;
    const bool first =
        frame->headers.cat == NGHTTP2_HCAT_REQUEST || frame->headers.cat == NGHTTP2_HCAT_RESPONSE;
    if (!first) session.count_idle();  // trailers, and heads behind informational ones
    session.owner_.on_head_begins(frame->hd.stream_id, first);
    return result(session);
  }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                    void* user) noexcept {
    Session& session = of(user);
    session.head_size_ += name_size + value_size + 32;
    if (session.head_size_ > session.max_header_list_)  // H2-3
      session.raise(fail(Errc::http2_flood, 404, session.max_header_list_), Code::enhance_your_calm);
    else
      session.owner_.on_header(frame->hd.stream_id, view(name, name_size), view(value, value_size));
    return result(session);
  }

  static std::vector<std::pair<std::uint16_t, std::uint32_t>> values(const nghttp2_settings& frame) {
    std::vector<std::pair<std::uint16_t, std::uint32_t>> out;
    for (const auto& entry : std::span(frame.iv, std::min(frame.niv, max_told_settings)))
      out.emplace_back(static_cast<std::uint16_t>(entry.settings_id), entry.value);
    return out;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
    Session& session = of(user);
    const std::int32_t stream = frame->hd.stream_id;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        session.owner_.on_head(stream);
        [[fallthrough]];
      case NGHTTP2_DATA:
        if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) session.owner_.on_end(stream);
        break;
      case NGHTTP2_SETTINGS:
        if (frame->hd.flags & NGHTTP2_FLAG_ACK) break;
        if (!session.settings_received_ && !session.server_)
          session.owner_.on_settings(values(frame->settings));
        session.settings_received_ = true;
        break;
      case NGHTTP2_WINDOW_UPDATE:
        if (frame->window_update.window_size_increment < small_increment) session.count_idle();
        break;
      case NGHTTP2_GOAWAY:
        session.owner_.on_going_away(frame->goaway.last_stream_id);
        break;
      default:
        break;
    }
    return result(session);
  }

  // A stream error: nghttp2 answers it with RST_STREAM, as costly as a reset of the peer.
  static int invalid_frame(nghttp2_session*, const nghttp2_frame*, int, void* user) noexcept {
    of(user).count_costly();
    return result(of(user));
  }

  static int data_chunk(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
                        std::size_t size, void* user) noexcept {
    of(user).owner_.on_data(stream, Bytes(data, size));
    return result(of(user));
  }

  static int stream_closed(nghttp2_session*, std::int32_t stream, std::uint32_t code, void* user) noexcept {
    of(user).owner_.on_closed(stream, code);
    return 0;
  }

  // nghttp2 ends the session by itself on a connection error; its GOAWAY is where that shows.
  static int before_send(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
    Session& session = of(user);
    if (frame->hd.type != NGHTTP2_GOAWAY || frame->goaway.error_code == NGHTTP2_NO_ERROR) return 0;
    if (session.error_) return 0;
    if (frame->goaway.error_code == NGHTTP2_ENHANCE_YOUR_CALM)
      session.error_ = fail(Errc::http2_flood, 405, frame->goaway.error_code);
    else
      session.error_ = fail(Errc::http2_protocol, 406, frame->goaway.error_code);
    return 0;
  }

  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
      of(user).owner_.on_end_sent(frame->hd.stream_id);
    return 0;
  }

  // Says how much the next DATA frame carries; the bytes follow in send_data.
  static ng::size_or_error read_data(nghttp2_session*, std::int32_t stream, std::uint8_t*, std::size_t room,
                                     std::uint32_t* flags, nghttp2_data_source*, void* user) noexcept {
    Session& session = of(user);
    if (!session.sink_) return NGHTTP2_ERR_PAUSE;
    const Outgoing* out = session.owner_.outgoing(stream);
    if (!out) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::size_t size = std::min({out->left(), room, max_data_payload});  // H2-6
    if (size == 0 && !out->finishing()) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (size == out->left() && out->finishing()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ng::size_or_error>(size);
  }

  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head, std::size_t size,
                       nghttp2_data_source*, void* user) noexcept {
    Session& session = of(user);
    if (!session.sink_) return NGHTTP2_ERR_WOULDBLOCK;
    Outgoing* const out = session.owner_.outgoing(frame->hd.stream_id);
    if (!out || out->left() < size) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::size_t count = 1 + out->views(size);
    std::array<Bytes, 16> few;
    std::vector<Bytes> many;  // only for messages of tiny pieces
    if (count > few.size()) many.resize(count);
    const std::span<Bytes> pieces =
        (many.empty() ? std::span<Bytes>(few) : std::span<Bytes>(many)).first(count);
    pieces[0] = Bytes(head, frame_head_size);
    out->gather(size, pieces.subspan(1));
    if (!session.sink_->append(session.sink_->self, pieces)) return NGHTTP2_ERR_WOULDBLOCK;
    if (size == 0) return 0;
    out->advance(size);
    if (out->left() == 0) session.owner_.on_handed_over(frame->hd.stream_id);
    return 0;
  }
};

void Session::Delete::operator()(nghttp2_session* session) const noexcept { nghttp2_session_del(session); }

Session::Session(const SessionOptions& options, SessionOwner& owner)
    : owner_(owner),
      memory_(options.slots),
      max_costly_(options.max_resets_per_10_s),
      max_header_list_(options.max_header_list),
      server_(options.side == Side::server) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  nghttp2_session* session = nullptr;
  int failed = nghttp2_session_callbacks_new(&callbacks);
  if (!failed) failed = nghttp2_option_new(&option);
  if (!failed) {
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, Callbacks::begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame_received);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, Callbacks::invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::stream_closed);
    nghttp2_session_callbacks_set_before_frame_send_callback(callbacks, Callbacks::before_send);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, Callbacks::send_data);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_deflate_dynamic_table_size(option, 0);  // H2-4
    ng::lift_reset_limit(option, 0);
    nghttp2_mem memory = memory_.hook();
    failed = server_ ? nghttp2_session_server_new3(&session, callbacks, this, option, &memory)
                     : nghttp2_session_client_new3(&session, callbacks, this, option, &memory);
    memory_.begin_life();
  }
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  ng_.reset(session);
  if (failed) {
    raise(fail(Errc::out_of_memory, 407), Code::internal_error);
    dead_ = true;
    return;
  }
  // Submitted before any input, so that even an ACK in the client's first flight answers it (H2-2, H2-5,
  // H2-14).
  std::array<nghttp2_settings_entry, 3> settings;
  settings[0] = server_ ? nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_streams}
                        : nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  settings[1] = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window};
  settings[2] = {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options.max_header_list};
  if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0 ||
      nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                            static_cast<std::int32_t>(options.connection_window)) != 0) {
    raise(fail(Errc::misuse, 408), Code::internal_error);
    dead_ = true;
  }
}

Session::~Session() = default;

void Session::raise(Error error, Code code) noexcept {
  if (error_) return;
  error_ = error;
  raised_ = code;
}

void Session::count_costly() noexcept {
  if (!costly_.count(now_, max_costly_))
    raise(fail(Errc::http2_flood, 409, max_costly_), Code::enhance_your_calm);
}

void Session::count_idle() noexcept {
  if (!idle_.count(now_, max_costly_ * idle_factor))
    raise(fail(Errc::http2_flood, 410, max_costly_ * idle_factor), Code::enhance_your_calm);
}

Result<void> Session::feed(Bytes in, Now now) {
  if (error_) return *error_;
  now_ = std::max(now_, now.mono);
  const auto taken = ng::mem_recv(ng_.get(), in.data(), in.size());
  if (taken < 0 && !error_) {
    switch (taken) {
      case NGHTTP2_ERR_BAD_CLIENT_MAGIC:  // H2-1
        raise(fail(Errc::http2_protocol, 411), Code::protocol_error);
        dead_ = true;
        break;
      case NGHTTP2_ERR_NOMEM:
        raise(fail(Errc::out_of_memory, 412), Code::internal_error);
        dead_ = true;
        break;
      default:  // the library's own limits: queued acknowledgements, CONTINUATION frames
        raise(fail(Errc::http2_flood, 413, static_cast<std::uint32_t>(-taken)), Code::enhance_your_calm);
        break;
    }
  }
  if (error_ && !dead_)
    (void)nghttp2_session_terminate_session(ng_.get(), static_cast<std::uint32_t>(raised_));
  pull_control_frames();
  if (error_) return *error_;
  return {};
}

void Session::keep(Bytes frame) {
  waiting_.insert(waiting_.end(), frame.begin(), frame.end());
  waiting_ends_.push_back(static_cast<std::uint32_t>(waiting_.size()));
}

// So that a GOAWAY of nghttp2's own is noticed by the feed() that caused it.
void Session::pull_control_frames() {
  while (!dead_ && waiting_.size() < max_waiting) {
    const std::uint8_t* frame = nullptr;
    const auto size = ng::mem_send(ng_.get(), &frame);
    if (size == 0) return;
    if (size < 0) {
      raise(fail(Errc::out_of_memory, 414, static_cast<std::uint32_t>(-size)), Code::internal_error);
      dead_ = true;
      return;
    }
    keep(Bytes(frame, static_cast<std::size_t>(size)));
  }
}

bool Session::offer_waiting(const FrameSink& sink) noexcept {
  while (frames_wait()) {
    const std::size_t begin = next_end_ == 0 ? 0 : waiting_ends_[next_end_ - 1];
    const Bytes frame = Bytes(waiting_).subspan(begin, waiting_ends_[next_end_] - begin);
    if (!sink.append(sink.self, std::span(&frame, 1))) return false;
    ++next_end_;
  }
  waiting_.clear();
  waiting_ends_.clear();
  next_end_ = 0;
  if (waiting_.capacity() > kept_waiting) {
    std::vector<std::uint8_t>().swap(waiting_);
    std::vector<std::uint32_t>().swap(waiting_ends_);
  }
  return true;
}

Result<void> Session::drain_to(FrameSink sink) {
  sink_ = &sink;
  while (!dead_ && offer_waiting(sink)) {
    const std::uint8_t* data = nullptr;
    const auto size = ng::mem_send(ng_.get(), &data);
    if (size == 0) break;
    if (size < 0) {
      raise(fail(Errc::out_of_memory, 415, static_cast<std::uint32_t>(-size)), Code::internal_error);
      dead_ = true;
      break;
    }
    const Bytes frame(data, static_cast<std::size_t>(size));
    if (!sink.append(sink.self, std::span(&frame, 1))) {
      keep(frame);
      break;
    }
  }
  sink_ = nullptr;
  if (error_) return *error_;
  return {};
}

bool Session::wants_output() const noexcept {
  return !dead_ && (frames_wait() || nghttp2_session_want_write(ng_.get()));
}

bool Session::finished() const noexcept {
  return dead_ || (!wants_output() && (error_ || !nghttp2_session_want_read(ng_.get())));
}

Result<void> Session::submit_response(std::int32_t stream, std::span<const Header> headers, bool body) {
  if (error_) return *error_;
  const auto nv = fields(headers);
  if (!nv) return nv.error();
  ng::data_provider provider{};
  provider.read_callback = Callbacks::read_data;
  const int failed =
      ng::submit_response(ng_.get(), stream, nv->data(), nv->size(), body ? &provider : nullptr);
  if (failed) return fail(Errc::misuse, 416, static_cast<std::uint32_t>(-failed));
  return {};
}

Result<std::int32_t> Session::submit_request(std::span<const Header> headers, bool body) {
  if (error_) return *error_;
  const auto nv = fields(headers);
  if (!nv) return nv.error();
  ng::data_provider provider{};
  provider.read_callback = Callbacks::read_data;
  const std::int32_t stream =
      ng::submit_request(ng_.get(), nv->data(), nv->size(), body ? &provider : nullptr);
  if (stream < 0) return fail(Errc::limit_exceeded, 417, static_cast<std::uint32_t>(-stream));
  return stream;
}

void Session::resume(std::int32_t stream) noexcept {
  if (!dead_)
    (void)nghttp2_session_resume_data(ng_.get(), stream);  // fails when it was not waiting for us: fine
}

void Session::reset(std::int32_t stream, Code code) noexcept {
  if (!error_)
    (void)nghttp2_submit_rst_stream(ng_.get(), NGHTTP2_FLAG_NONE, stream, static_cast<std::uint32_t>(code));
}

void Session::go_away() noexcept {  // H2-15
  if (!error_)
    (void)nghttp2_submit_goaway(ng_.get(), NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(ng_.get()), NGHTTP2_NO_ERROR, nullptr,
                                0);
}

bool Session::input_ended(std::int32_t stream) const noexcept {
  return !dead_ && nghttp2_session_get_stream_remote_close(ng_.get(), stream) != 0;
}

void Session::consume_connection(std::size_t bytes) noexcept {
  if (!error_ && bytes > 0) (void)nghttp2_session_consume_connection(ng_.get(), bytes);
}

void Session::consume_stream(std::int32_t stream, std::size_t bytes) noexcept {
  if (!error_ && bytes > 0) (void)nghttp2_session_consume_stream(ng_.get(), stream, bytes);
}

}  // namespace ts2021::h2
