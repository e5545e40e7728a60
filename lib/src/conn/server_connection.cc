// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/conn/server_connection.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "conn/channel.h"
#include "conn/phase.h"
#include "h2/server_session.h"
#include "ts2021/base/byte_queue.h"
#include "ts2021/entry/early_payload.h"
#include "ts2021/entry/http1.h"
#include "ts2021/entry/upgrade.h"
#include "ts2021/entry/websocket.h"
#include "ts2021/noise/handshake.h"
#include "ts2021/noise/handshake_cache.h"

namespace ts2021 {
namespace {

using conn::Phase;

constexpr auto first_with_early_payload = ProtocolVersion{49};
constexpr std::size_t max_rest = 64 << 10;  // bytes that come between the upgrade request and accept()
constexpr auto starved_retry = std::chrono::milliseconds{50};

h2::ServerLimits h2_limits(const Limits& limits) noexcept {
  h2::ServerLimits out;
  out.max_bodies = limits.max_bodies;
  out.max_streams = limits.max_streams;
  out.refuse_above = limits.max_streams - limits.max_streams / 5;
  out.max_resets_per_10_s = limits.max_resets_per_10_s;
  return out;
}

}  // namespace

struct ServerConnection::Impl {
  Impl(const ServerConfig& c, Env e, Now now)
      : config(c),
        env(e),
        out(e.blocks, c.limits.max_output),
        http1(std::in_place, c.routes, entry::Http1Limits{c.limits.max_head}),
        http1_since(now.mono),
        last(now) {}

  const ServerConfig& config;
  Env env;
  Phase phase = Phase::http1;
  bool closed_told = false;
  bool served = false;   // a request of the outer site was answered: between two, the longer deadline holds
  bool starved = false;  // no block was free for what waits
  bool draining = false;
  ByteQueue out;

  std::optional<entry::Http1Server> http1;
  std::optional<noise::Responder> responder;
  std::unique_ptr<noise::MachineSecret> unproven;  // for the cache, until the first record has opened
  std::vector<std::uint8_t> rest;                  // input that came before accept()
  std::string websocket_key;                       // non-empty: a WebSocket peer

  struct Inside {
    Inside(noise::Session session, Env env, entry::WebSocket* ws, ByteQueue& out_queue,
           const ServerConfig& config)
        : channel(std::move(session), env, ws, out_queue), h2(config.routes, h2_limits(config.limits)) {}
    conn::Channel channel;
    h2::ServerSession h2;
  };
  std::optional<entry::WebSocket> websocket;
  std::unique_ptr<Inside> inside;

  // What a stream's window may hold back, of an answer or a message: bytes, and when some of them last left.
  struct Owed {
    StreamId stream;
    std::size_t left;
    Instant since;
  };
  std::vector<Owed> owed;
  std::vector<event::StreamGone> gone;  // streams that we gave up
  std::optional<StreamId> writable;     // outer site

  enum class Http1State : std::uint8_t { head, idle, body, waiting } http1_state = Http1State::head;
  Instant http1_since;
  Instant phase_since{};
  Now last;                              // of the latest call that had a time
  bool input_ended = false;              // receive_end() was called
  bool farewell_said = false;            // WebSocket: the close frame of a good end is queued
  std::optional<Instant> split_since;    // a record is incomplete
  std::optional<Instant> idle_since;     // inside Noise, no stream is open
  std::optional<Instant> stalled_since;  // output waits for the socket
  Error why{};

  // ---- ends

  void enter(Phase next, Now now) {
    phase = next;
    phase_since = now.mono;
  }

  // Sends what is queued, then closes.
  void finish(Error error, Now now) {
    if (phase == Phase::closing || phase == Phase::closed) return;
    why = error;
    unproven.reset();
    enter(Phase::closing, now);
  }

  // Closes without another byte.
  void abort(Error error) {
    if (phase == Phase::closed) return;
    if (phase != Phase::closing) why = error;
    phase = Phase::closed;
    starved = false;
    split_since.reset();
    idle_since.reset();
    stalled_since.reset();
    owed.clear();
    rest = {};
    out.clear();
    inside.reset();
    websocket.reset();
    responder.reset();
    unproven.reset();
    http1.reset();
  }

  // ---- the outer site

  void note_http1_state(Now now) {
    if (phase != Phase::http1) return;
    Http1State state = Http1State::head;
    if (http1->answering() || !http1->wants_input())
      state = Http1State::waiting;
    else if (http1->in_body())
      state = Http1State::body;
    else if (http1->idle() && served)
      state = Http1State::idle;
    if (state == http1_state) return;
    http1_state = state;
    http1_since = now.mono;
  }

  void upgrade(const entry::UpgradeHead& head, Now now) {
    auto verdict = entry::read_upgrade(head);
    if (const auto* refusal = std::get_if<entry::UpgradeRefusal>(&verdict)) {
      const Header more[] = {{refusal->extra_name, refusal->extra_value}};
      http1->refuse_upgrade(refusal->status, refusal->text,
                            std::span(more).first(refusal->extra_name.empty() ? 0 : 1));
      return;
    }
    if (config.noise_keys.empty() || draining) {
      http1->refuse_upgrade(503, draining ? "going away" : "keys not available");
      return;
    }
    rest = http1->take_rest();
    http1->fill(out);
    http1.reset();
    if (const auto* late = std::get_if<entry::UpgradeLateRefusal>(&verdict)) {
      if (entry::write_websocket_answer(late->websocket_key, late->protocol_offered, out)) {
        websocket.emplace(entry::WebSocket::Role::server, env.entropy);
        websocket->close(late->code, late->reason);
        websocket->fill(out);
      }
      finish(fail(Errc::bad_upgrade, 700), now);
      return;
    }
    auto& request = *std::get_if<entry::UpgradeRequest>(&verdict);
    if (request.websocket) websocket_key = std::move(request.websocket_key);
    auto opened = noise::Responder::open(config.noise_keys, request.initiation, env.handshakes);
    if (!opened) {
      refuse_handshake(noise::error_record(opened.error()), opened.error(), now);
      return;
    }
    responder.emplace(*std::move(opened));
    enter(Phase::opened, now);
    peer_known = true;
  }

  bool peer_known = false;

  // A format error gets the 101 and an error record, a cryptographic failure no byte at all. HSK-8
  void refuse_handshake(Bytes record, Error error, Now now) {
    if (record.empty() || !write_101()) {
      abort(error);
      return;
    }
    if (websocket) {
      (void)websocket->append(record, out);
      websocket->close(1000, {});
      websocket->fill(out);
    } else {
      (void)out.append(record);
    }
    finish(error, now);
  }

  [[nodiscard]] bool write_101() {
    if (websocket_key.empty()) return entry::write_upgrade_answer(out);
    if (!entry::write_websocket_answer(websocket_key, true, out)) return false;
    websocket.emplace(entry::WebSocket::Role::server, env.entropy);
    return true;
  }

  // ---- inside Noise

  Result<void> accept(Bytes early_payload, Now now) {
    if (phase != Phase::opened || early_payload.size() > entry::max_early_payload_sent)
      return fail(Errc::misuse, 701);
    // EAR-2: older clients would take the magic for a frame. EAR-3: none over WebSocket.
    if (responder->version() < first_with_early_payload || !websocket_key.empty()) early_payload = {};

    std::array<std::uint8_t, noise::response_size> message2{};
    unproven = responder->take_machine_secret();
    auto session = std::move(*responder)
                       .reply(env.handshakes ? env.handshakes->take_ephemeral()
                                             : noise::EphemeralKey::generate(env.entropy),
                              message2);
    responder.reset();
    if (!session) {
      abort(session.error());
      return session.error();
    }
    if (!write_101() || !(websocket ? websocket->append(message2, out) : out.append(message2))) {
      const Error error = fail(Errc::out_of_memory, 702);
      abort(error);
      return error;
    }
    inside =
        std::make_unique<Inside>(*std::move(session), env, websocket ? &*websocket : nullptr, out, config);
    if (!early_payload.empty()) {
      const auto header = entry::early_payload_header(early_payload.size());
      if (!inside->channel.append(header) || !inside->channel.append(early_payload)) {
        const Error error = fail(Errc::out_of_memory, 703);
        abort(error);
        return error;
      }
    }
    enter(Phase::records, now);
    pump(now);
    std::vector<std::uint8_t> early = std::exchange(rest, {});
    if (early.empty()) return {};
    return feed_records(early, now);
  }

  Result<void> feed_records(MutableBytes in, Now now) {
    std::optional<Error> h2_error;
    const Result<void> fed = inside->channel.feed(in, [&](MutableBytes plaintext) -> Result<void> {
      split_since.reset();  // one record is complete: the next has its own time
      auto result = inside->h2.feed(plaintext, now);
      if (!result) h2_error = result.error();
      return result;
    });
    if (unproven && inside->channel.proven()) env.handshakes->remember(std::move(unproven));  // HSK-10
    note_split(now);
    if (fed) {
      if (websocket && websocket->peer_closed()) finish(fail(Errc::end_of_stream, 722), now);  // ENT-17
      return {};
    }
    const Error error = fed.error();
    if (h2_error) {
      pump(now);  // the GOAWAY
      finish(error, now);
    } else if (websocket && websocket->close_pending()) {
      websocket->fill(out);
      finish(error, now);
    } else {
      abort(error);  // REC-7: forget the keys, send nothing
    }
    return error;
  }

  void note_split(Now now) {
    if (!inside->channel.mid_record())
      split_since.reset();
    else if (!split_since)
      split_since = now.mono;
  }

  // Moves what is pending into the queue of the socket, as far as it fits.
  void pump(Now now) {
    starved = false;
    if (http1) {
      http1->fill(out);
      starved = out.empty() && http1->pending() > 0;
      if (const auto stream = http1->take_writable()) writable = stream;
      note_http1_state(now);
      if (phase == Phase::http1 && http1->finished()) finish(fail(Errc::closed, 704), now);
      return;
    }
    if (!inside) {
      if (websocket) websocket->fill(out);
      return;
    }
    if (auto drained = inside->h2.drain_to(inside->channel.sink()); !drained) finish(drained.error(), now);
    if (auto flushed = inside->channel.flush(); !flushed) {
      abort(flushed.error());
      return;
    }
    starved = out.empty() && (inside->h2.wants_output() || inside->channel.backlog());
    note_streams(now);
    if (phase == Phase::records && inside->h2.finished() && !inside->h2.wants_output())
      finish(fail(Errc::closed, 705), now);
    if (phase == Phase::records && draining && inside->h2.open_streams() == 0 && !inside->h2.wants_output())
      finish(fail(Errc::closed, 706), now);
  }

  void note_streams(Now now) {
    for (Owed& o : owed)
      if (const std::size_t left = inside->h2.unsent(o.stream); left != o.left)
        o = {o.stream, left, now.mono};
    std::erase_if(owed, [](const Owed& o) { return o.left == 0; });
    if (inside->h2.open_streams() > 0)
      idle_since.reset();
    else if (!idle_since)
      idle_since = now.mono;
  }

  void note_owed(StreamId stream, Instant now) {
    const std::size_t left = inside->h2.unsent(stream);
    if (left == 0) return;
    const auto known =
        std::find_if(owed.begin(), owed.end(), [&](const Owed& o) { return o.stream == stream; });
    if (known == owed.end())
      owed.push_back({stream, left, now});
    else
      *known = {stream, left, now};
  }

  [[nodiscard]] std::optional<Instant> phase_deadline() const noexcept {
    const Limits& limits = config.limits;
    switch (phase) {
      case Phase::http1:
        switch (http1_state) {
          case Http1State::head:
            return http1_since + limits.head_deadline;
          case Http1State::idle:
            return http1_since + limits.keep_alive_deadline;
          case Http1State::body:
            return http1_since + limits.body_deadline;
          case Http1State::waiting:
            return std::nullopt;
        }
        return std::nullopt;
      case Phase::opened:
        return phase_since + limits.head_deadline;
      case Phase::records:
        if (!inside->h2.preface_received()) return phase_since + limits.preface_deadline;
        if (idle_since) return *idle_since + limits.idle_deadline;
        return std::nullopt;
      case Phase::closing:
        return phase_since + limits.write_stall_deadline;
      case Phase::closed:
        return std::nullopt;
    }
    return std::nullopt;
  }
};

ServerConnection::ServerConnection(const ServerConfig& config, Env env, Now now)
    : impl_(std::make_unique<Impl>(config, env, now)) {}
ServerConnection::~ServerConnection() = default;
ServerConnection::ServerConnection(ServerConnection&&) noexcept = default;

Result<void> ServerConnection::receive(MutableBytes in, Now now) {
  Impl& c = *impl_;
  c.last = now;
  switch (c.phase) {
    case Phase::http1:
      c.http1->feed(in);
      c.note_http1_state(now);
      return {};
    case Phase::opened:
      if (c.rest.size() + in.size() > max_rest) {
        const Error error = fail(Errc::limit_exceeded, 707);
        c.abort(error);
        return error;
      }
      c.rest.insert(c.rest.end(), in.begin(), in.end());
      return {};
    case Phase::records:
      return c.feed_records(in, now);
    case Phase::closing:
    case Phase::closed:
      return {};
  }
  return {};
}

void ServerConnection::receive_end(Now now) {
  Impl& c = *impl_;
  c.last = now;
  c.input_ended = true;
  switch (c.phase) {
    case Phase::http1:
      c.http1->feed_end();
      c.pump(now);
      if (c.phase == Phase::http1 && !c.http1->answering()) c.finish(fail(Errc::end_of_stream, 708), now);
      return;
    case Phase::opened:
      c.abort(fail(Errc::end_of_stream, 709));
      return;
    case Phase::records:  // REC-8: half a connection is none
      c.abort(c.inside->channel.mid_record() ? fail(Errc::truncated, 710) : fail(Errc::end_of_stream, 711));
      return;
    case Phase::closing:
      if (!c.http1) c.abort(c.why);  // who asked over HTTP/1.1 may have half-closed and still reads
      return;
    case Phase::closed:
      return;
  }
}

void ServerConnection::handle_timeout(Now now) {
  Impl& c = *impl_;
  c.last = now;
  const Limits& limits = c.config.limits;
  if (const auto deadline = c.phase_deadline(); deadline && *deadline <= now.mono) {
    if (c.phase == Phase::records && c.inside->h2.preface_received() && !c.draining) {
      c.idle_since = now.mono;
      return drain(now);
    }
    c.abort(fail(Errc::timeout, 712));
    return;
  }
  if (c.stalled_since && *c.stalled_since + limits.write_stall_deadline <= now.mono) {
    c.abort(fail(Errc::timeout, 713));
    return;
  }
  if (c.phase != Phase::records) return;
  const auto body_since = c.inside->h2.oldest_incomplete();
  if ((c.split_since && *c.split_since + limits.body_deadline <= now.mono) ||
      (body_since && *body_since + limits.body_deadline <= now.mono)) {
    c.abort(fail(Errc::timeout, 714));
    return;
  }
  std::erase_if(c.owed, [&](const Impl::Owed& o) {
    if (o.since + limits.push_stall_deadline > now.mono) return false;
    c.inside->h2.reset_stream(o.stream);
    c.gone.push_back({o.stream, fail(Errc::timeout, 715)});
    return true;
  });
}

std::optional<ServerEvent> ServerConnection::next_event() {
  Impl& c = *impl_;
  if (!c.gone.empty()) {
    const event::StreamGone gone = c.gone.back();
    c.gone.pop_back();
    return gone;
  }
  if (c.phase == Phase::http1) {
    if (const auto stream = std::exchange(c.writable, std::nullopt)) return event::Writable{*stream};
    while (c.phase == Phase::http1) {
      auto event = c.http1->next_event();
      if (!event) break;
      if (auto* request = std::get_if<Request>(&*event)) {
        c.served = true;
        return *request;
      }
      c.upgrade(*std::get_if<entry::UpgradeHead>(&*event), c.last);
    }
  }
  if (std::exchange(c.peer_known, false))
    return event::PeerKnown{c.responder->peer(), c.responder->version(), !c.websocket_key.empty()};
  if (c.phase == Phase::records) {
    if (auto event = c.inside->h2.next_event()) {
      if (auto* request = std::get_if<Request>(&*event)) {
        c.idle_since.reset();
        return *request;
      }
      if (const auto* writable = std::get_if<h2::StreamWritable>(&*event))
        return event::Writable{writable->stream};
      const auto& closed = *std::get_if<h2::StreamClosed>(&*event);
      return event::StreamGone{closed.stream, closed.why};
    }
  }
  if (c.phase == Phase::closed && !std::exchange(c.closed_told, true)) return event::Closed{c.why};
  return std::nullopt;
}

Result<void> ServerConnection::accept(Bytes early_payload, Now now) {
  return impl_->accept(early_payload, now);
}

void ServerConnection::refuse(std::string_view fixed_text, Now now) {
  Impl& c = *impl_;
  if (c.phase != Phase::opened) return;
  const std::size_t size = std::min<std::size_t>(fixed_text.size(), 256);
  std::array<std::uint8_t, 3 + 256> record{3};
  store_u16be(MutableBytes(record).subspan(1), static_cast<std::uint16_t>(size));
  std::copy_n(fixed_text.begin(), size, record.begin() + 3);
  c.responder.reset();
  c.refuse_handshake(Bytes(record).first(3 + size), fail(Errc::closed, 716), now);
}

Result<void> ServerConnection::respond(StreamId stream, const ResponseHead& head, SharedBytes body) {
  Impl& c = *impl_;
  if (c.phase == Phase::http1) return c.http1->respond(stream, head, std::move(body));
  if (c.phase != Phase::records) return fail(Errc::misuse, 717);
  const Result<void> given = c.inside->h2.respond(stream, head, std::move(body));
  if (given) c.note_owed(stream, c.last.mono);
  return given;
}

Result<void> ServerConnection::start_stream(StreamId stream, const ResponseHead& head) {
  Impl& c = *impl_;
  if (c.phase == Phase::http1) return c.http1->start_stream(stream, head);
  if (c.phase == Phase::records) return c.inside->h2.start_stream(stream, head);
  return fail(Errc::misuse, 718);
}

Result<Pushed> ServerConnection::push(StreamId stream, std::span<const SharedBytes> pieces, Now now) {
  Impl& c = *impl_;
  if (c.phase != Phase::http1 && c.phase != Phase::records) return fail(Errc::misuse, 719);
  const Result<bool> taken =
      c.phase == Phase::http1 ? c.http1->push(stream, pieces) : c.inside->h2.push(stream, pieces);
  if (!taken) return taken.error();
  if (!*taken) return Pushed::congested;
  if (c.phase == Phase::records) c.note_owed(stream, now.mono);
  return Pushed::accepted;
}

Result<void> ServerConnection::end_stream(StreamId stream) {
  Impl& c = *impl_;
  if (c.phase == Phase::http1) return c.http1->end_stream(stream);
  if (c.phase == Phase::records) return c.inside->h2.end_stream(stream);
  return fail(Errc::misuse, 720);
}

void ServerConnection::release(StreamId stream) {
  Impl& c = *impl_;
  if (c.phase == Phase::http1) c.http1->release(stream);
  if (c.phase == Phase::records) c.inside->h2.release(stream);
}

void ServerConnection::drain(Now now) {
  Impl& c = *impl_;
  c.draining = true;
  if (c.phase == Phase::records) {
    c.inside->h2.drain();
    c.pump(now);
  } else if (c.phase == Phase::http1 && c.http1->answering()) {
    c.http1->feed_end();  // the open request is answered, no other is read
  } else {
    c.finish(fail(Errc::closed, 721), now);
  }
}

void ServerConnection::close(Error why, Now now) {
  if (impl_->phase == Phase::records) impl_->inside->h2.drain();
  impl_->pump(now);
  impl_->finish(why, now);
}

std::size_t ServerConnection::output(std::span<Bytes> pieces, Now now) {
  Impl& c = *impl_;
  c.last = now;
  if (c.phase == Phase::closed) return 0;
  c.pump(now);
  std::size_t count = c.out.gather(pieces);
  if (count == 0 && !c.starved && c.phase == Phase::closing && c.websocket &&
      !std::exchange(c.farewell_said, true)) {
    c.websocket->close(1000, {});
    c.websocket->fill(c.out);
    count = c.out.gather(pieces);
  }
  if (count > 0 || c.starved) {
    if (!c.stalled_since) c.stalled_since = now.mono;
  } else {
    c.stalled_since.reset();
    if (c.phase == Phase::closing) c.abort(c.why);
  }
  return count;
}

void ServerConnection::output_sent(std::size_t n, Now now) {
  Impl& c = *impl_;
  if (n == 0 || c.phase == Phase::closed) return;
  c.out.consume(n);
  c.stalled_since.reset();
  if (!c.out.empty()) c.stalled_since = now.mono;
  if (c.phase == Phase::closing && c.http1) c.phase_since = now.mono;  // a long last answer is still read
}

void ServerConnection::output_failed(Now now) {
  impl_->last = now;
  impl_->abort(fail(Errc::end_of_stream, 723));
}

bool ServerConnection::wants_input() const noexcept {
  const Impl& c = *impl_;
  if (c.input_ended) return false;
  switch (c.phase) {
    case Phase::http1:
      return c.http1->wants_input() && c.out.size() < c.out.limit() / 2;
    case Phase::opened:
      return false;
    case Phase::records:
      return c.out.size() < c.out.limit() / 2;
    case Phase::closing:
      return true;  // and dropped: unread input would turn our last bytes into a reset
    case Phase::closed:
      return false;
  }
  return false;
}

std::optional<Instant> ServerConnection::next_timeout() const noexcept {
  const Impl& c = *impl_;
  std::optional<Instant> next = c.phase_deadline();
  const auto earliest = [&](std::optional<Instant> candidate) {
    if (candidate && (!next || *candidate < *next)) next = candidate;
  };
  const Limits& limits = c.config.limits;
  if (c.starved) earliest(c.last.mono + starved_retry);
  if (c.stalled_since) earliest(*c.stalled_since + limits.write_stall_deadline);
  if (c.split_since) earliest(*c.split_since + limits.body_deadline);
  if (c.phase == Phase::records)
    if (const auto since = c.inside->h2.oldest_incomplete()) earliest(*since + limits.body_deadline);
  for (const Impl::Owed& o : c.owed) earliest(o.since + limits.push_stall_deadline);
  return next;
}

std::size_t ServerConnection::own_size() noexcept { return sizeof(Impl) + sizeof(Impl::Inside); }

}  // namespace ts2021
