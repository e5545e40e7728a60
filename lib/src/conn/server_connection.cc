// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/conn/server_connection.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "conn/inside.h"
#include "conn/outer_site.h"
#include "conn/phase.h"
#include "conn/server_trace.h"
#include "ts2021/entry/early_payload.h"
#include "ts2021/entry/upgrade.h"
#include "ts2021/entry/websocket.h"
#include "ts2021/noise/handshake.h"

namespace ts2021 {
namespace {

using conn::earlier;
using conn::Phase;

constexpr auto first_with_early_payload = ProtocolVersion{49};
constexpr std::size_t max_rest = 64 << 10;  // bytes that come between the upgrade request and accept()

}  // namespace

struct ServerConnection::Impl {
  Impl(const ServerConfig& c, Env e, Now now)
      : config(c),
        env(e),
        out(e.blocks, c.limits.max_output),
        outer(std::in_place, c, c.tell_unrouted || e.tracer, now.mono),
        last(now) {}

  const ServerConfig& config;
  Env env;
  const conn::ServerTrace trace{env.tracer};
  Phase phase = Phase::http1;
  bool closed_told = false;
  bool draining = false;
  bool peer_known = false;     // not told yet
  bool input_ended = false;    // receive_end() was called
  bool farewell_said = false;  // WebSocket: the close frame of a good end is queued
  conn::Outbox out;

  std::optional<conn::OuterSite> outer;
  std::unique_ptr<noise::Responder> responder;  // until accept()
  std::vector<std::uint8_t> rest;               // input that came before accept()
  std::string websocket_key;                    // non-empty: a WebSocket peer
  std::optional<entry::WebSocket> websocket;
  std::unique_ptr<conn::Inside> inside;
  conn::RecordCounts records;  // once `inside` has gone

  Instant phase_since{};
  Now last;  // of the latest call that had a time
  Error why{};

  [[nodiscard]] Site site() const noexcept { return phase == Phase::http1 ? Site::outer : Site::noise; }

  // ---- ends

  void enter(Phase next, Now now) {
    phase = next;
    phase_since = now.mono;
  }

  // Sends what is queued, then closes.
  void finish(Error error, Now now) {
    if (phase == Phase::closing || phase == Phase::closed) return;
    why = error;
    enter(Phase::closing, now);
  }

  // Closes without another byte.
  void abort(Error error) {
    if (phase == Phase::closed) return;
    if (phase != Phase::closing) why = error;
    phase = Phase::closed;
    rest = {};
    out.drop();
    if (inside) records = {inside->channel.records_in(), inside->channel.records_out()};
    inside.reset();
    websocket.reset();
    responder.reset();
    outer.reset();
  }

  // ---- the outer site

  void upgrade(const entry::UpgradeHead& head, Now now) {
    auto verdict = entry::read_upgrade(head);
    if (const auto* refusal = std::get_if<entry::UpgradeRefusal>(&verdict)) {
      const Header more[] = {{refusal->extra_name, refusal->extra_value}};
      trace.tell(trace::UpgradeRefused{refusal->status}, now);
      outer->http.refuse_upgrade(refusal->status, refusal->text,
                                 std::span(more).first(refusal->extra_name.empty() ? 0 : 1));
      return;
    }
    if (config.noise_keys.empty() || draining) {
      trace.tell(trace::UpgradeRefused{503}, now);
      outer->http.refuse_upgrade(503, draining ? "going away" : "keys not available");
      return;
    }
    rest = outer->http.take_rest();
    outer->http.fill(out.queue);
    outer.reset();
    if (const auto* late = std::get_if<entry::UpgradeLateRefusal>(&verdict)) {
      if (entry::write_websocket_answer(late->websocket_key, late->protocol_offered, out.queue)) {
        websocket.emplace(entry::WebSocket::Role::server, env.entropy);
        websocket->close(late->code, late->reason);
        websocket->fill(out.queue);
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
    responder = std::make_unique<noise::Responder>(*std::move(opened));
    enter(Phase::opened, now);
    peer_known = true;
    trace.tell(trace::Handshake{!websocket_key.empty(), responder->peer(),
                                config.noise_keys[responder->key_index()].open, responder->version()},
               now);
  }

  // A format error gets the 101 and an error record, a cryptographic failure no byte at all. HSK-8
  void refuse_handshake(Bytes record, Error error, Now now) {
    if (record.empty() || !write_101()) {
      abort(error);
      return;
    }
    if (websocket) {
      (void)websocket->append(record, out.queue);
      websocket->close(1000, {});
      websocket->fill(out.queue);
    } else {
      (void)out.queue.append(record);
    }
    finish(error, now);
  }

  [[nodiscard]] bool write_101() {
    if (websocket_key.empty()) return entry::write_upgrade_answer(out.queue);
    if (!entry::write_websocket_answer(websocket_key, true, out.queue)) return false;
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
    auto unproven = responder->take_machine_secret();
    auto session = std::move(*responder)
                       .reply(env.handshakes ? env.handshakes->take_ephemeral()
                                             : noise::EphemeralKey::generate(env.entropy),
                              message2);
    responder.reset();
    if (!session) {
      abort(session.error());
      return session.error();
    }
    if (!write_101() || !(websocket ? websocket->append(message2, out.queue) : out.queue.append(message2))) {
      const Error error = fail(Errc::out_of_memory, 702);
      abort(error);
      return error;
    }
    inside = std::make_unique<conn::Inside>(*std::move(session), std::move(unproven), env,
                                            websocket ? &*websocket : nullptr, out, config, now.mono);
    if (!write_early_payload(early_payload)) {
      const Error error = fail(Errc::out_of_memory, 703);
      abort(error);
      return error;
    }
    if (!early_payload.empty()) trace.tell(trace::EarlyPayload{trace::Way::out, early_payload}, now);
    enter(Phase::records, now);
    pump(now);
    std::vector<std::uint8_t> early = std::exchange(rest, {});
    if (early.empty()) return {};
    return feed_records(early, now);
  }

  [[nodiscard]] bool write_early_payload(Bytes json) {
    std::array<std::uint8_t, entry::early_payload_header_size + entry::max_early_payload_sent> buffer;
    Bytes whole;
    if (!json.empty()) {
      const auto header = entry::early_payload_header(json.size());
      const auto text = std::copy(header.begin(), header.end(), buffer.begin());
      whole = Bytes(buffer.begin(), std::copy(json.begin(), json.end(), text));
    }
    if (env.tamper && !websocket) whole = env.tamper->early_payload(whole);
    return inside->channel.append(whole).has_value();
  }

  Result<void> feed_records(MutableBytes in, Now now) {
    const auto [fed, http2] = inside->feed(in, now);
    if (fed) {
      if (websocket && websocket->peer_closed()) finish(fail(Errc::end_of_stream, 722), now);  // ENT-17
      return {};
    }
    const Error error = fed.error();
    if (http2) {
      pump(now);  // the GOAWAY
      finish(error, now);
    } else if (websocket && websocket->close_pending()) {
      websocket->fill(out.queue);
      finish(error, now);
    } else {
      abort(error);  // REC-7: forget the keys, send nothing
    }
    return error;
  }

  // Moves what is pending into the queue of the socket, as far as it fits.
  void pump(Now now) {
    if (outer) {
      outer->fill(out, now.mono);
      if (phase == Phase::http1 && outer->http.finished()) finish(fail(Errc::closed, 704), now);
      return;
    }
    out.note_backlog(false);
    if (!inside) {
      if (websocket) websocket->fill(out.queue);
      return;
    }
    const auto filled = inside->fill(now.mono);
    if (!filled.frames) finish(filled.frames.error(), now);
    if (!filled.records) {
      abort(filled.records.error());
      return;
    }
    const auto& h2 = inside->h2;
    if (phase == Phase::records && h2.finished() && !h2.wants_output()) finish(fail(Errc::closed, 705), now);
    if (phase == Phase::records && draining && h2.open_streams() == 0 && !h2.wants_output())
      finish(fail(Errc::closed, 706), now);
  }

  // ---- events

  std::optional<ServerEvent> next() {
    if (outer)
      if (auto unrouted = outer->http.take_unrouted()) return *std::move(unrouted);
    if (phase == Phase::http1) {
      if (const auto stream = outer->take_writable()) return event::Writable{*stream};
      while (phase == Phase::http1) {
        auto event = outer->http.next_event();
        if (!event) break;
        if (auto* request = std::get_if<Request>(&*event)) {
          outer->note_request();
          return *request;
        }
        upgrade(*std::get_if<entry::UpgradeHead>(&*event), last);
      }
    }
    if (std::exchange(peer_known, false))
      return event::PeerKnown{responder->peer(), responder->version(), !websocket_key.empty()};
    if (phase == Phase::records) {
      if (const auto gone = inside->take_given_up()) return *gone;
      if (auto event = inside->h2.next_event()) {
        if (auto* request = std::get_if<Request>(&*event)) {
          inside->note_request();
          return *request;
        }
        if (const auto* writable = std::get_if<h2::StreamWritable>(&*event))
          return event::Writable{writable->stream};
        if (auto* unrouted = std::get_if<Unrouted>(&*event)) return std::move(*unrouted);
        const auto& closed = *std::get_if<h2::StreamClosed>(&*event);
        return event::StreamGone{closed.stream, closed.why};
      }
    }
    if (phase == Phase::closed && !std::exchange(closed_told, true)) return event::Closed{why};
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Instant> phase_deadline() const noexcept {
    switch (phase) {
      case Phase::http1:
        return outer->deadline(config.limits);
      case Phase::opened:
        return phase_since + config.limits.head_deadline;
      case Phase::records:
        return inside->quiet_deadline();
      case Phase::closing:
        return phase_since + config.limits.write_stall_deadline;
      case Phase::closed:
        return std::nullopt;
    }
    return std::nullopt;
  }
};

ServerConnection::ServerConnection(const ServerConfig& config, Env env, Now now)
    : impl_(std::make_unique<Impl>(config, env, now)) {
  impl_->trace.tell(trace::Opened{}, now);
}
ServerConnection::~ServerConnection() = default;
ServerConnection::ServerConnection(ServerConnection&&) noexcept = default;

Result<void> ServerConnection::receive(MutableBytes in, Now now) {
  Impl& c = *impl_;
  c.last = now;
  switch (c.phase) {
    case Phase::http1:
      c.outer->http.feed(in);
      c.outer->note(now.mono);
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
      c.outer->http.feed_end();
      c.pump(now);
      if (c.phase == Phase::http1 && !c.outer->http.answering())
        c.finish(fail(Errc::end_of_stream, 708), now);
      return;
    case Phase::opened:
      c.abort(fail(Errc::end_of_stream, 709));
      return;
    case Phase::records:  // REC-8: half a connection is none
      c.abort(c.inside->mid_record() ? fail(Errc::truncated, 710) : fail(Errc::end_of_stream, 711));
      return;
    case Phase::closing:
      if (!c.outer) c.abort(c.why);  // who asked over HTTP/1.1 may have half-closed and still reads
      return;
    case Phase::closed:
      return;
  }
}

void ServerConnection::handle_timeout(Now now) {
  Impl& c = *impl_;
  c.last = now;
  const auto due = [&](std::optional<Instant> deadline) { return deadline && *deadline <= now.mono; };
  if (due(c.phase_deadline())) {
    if (c.phase == Phase::records && c.inside->h2.preface_received() && !c.draining) {
      c.inside->restart_idle(now.mono);
      return drain(now);
    }
    c.abort(fail(Errc::timeout, 712));
  } else if (due(c.out.stall_deadline(c.config.limits.write_stall_deadline))) {
    c.abort(fail(Errc::timeout, 713));
  } else if (c.phase == Phase::records) {
    if (due(c.inside->input_deadline()))
      c.abort(fail(Errc::timeout, 714));
    else
      c.inside->give_up_stalled(now.mono);
  }
}

std::optional<ServerEvent> ServerConnection::next_event() {
  const Impl& c = *impl_;
  while (auto event = impl_->next()) {
    c.trace.event(*event, c.records, c.last);
    if (c.config.tell_unrouted || !std::holds_alternative<event::Unrouted>(*event)) return event;
  }
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
  if (c.phase != Phase::http1 && c.phase != Phase::records) return fail(Errc::misuse, 717);
  const Result<void> given = c.phase == Phase::http1 ? c.outer->http.respond(stream, head, body)
                                                     : c.inside->h2.respond(stream, head, body);
  if (!given) return given;
  if (c.phase == Phase::records) c.inside->note_owed(stream, c.last.mono);
  c.trace.answer(c.site(), stream, head, c.last);
  c.trace.data(c.site(), stream, {&body, 1}, c.last);
  c.trace.end(c.site(), stream, c.last);
  return {};
}

Result<void> ServerConnection::start_stream(StreamId stream, const ResponseHead& head) {
  Impl& c = *impl_;
  if (c.phase != Phase::http1 && c.phase != Phase::records) return fail(Errc::misuse, 718);
  const Result<void> started = c.phase == Phase::http1 ? c.outer->http.start_stream(stream, head)
                                                       : c.inside->h2.start_stream(stream, head);
  if (started) c.trace.answer(c.site(), stream, head, c.last);
  return started;
}

Result<Pushed> ServerConnection::push(StreamId stream, std::span<const SharedBytes> pieces, Now now) {
  Impl& c = *impl_;
  if (c.phase != Phase::http1 && c.phase != Phase::records) return fail(Errc::misuse, 719);
  const Result<bool> taken =
      c.phase == Phase::http1 ? c.outer->http.push(stream, pieces) : c.inside->h2.push(stream, pieces);
  if (!taken) return taken.error();
  if (!*taken) return Pushed::congested;
  if (c.phase == Phase::records) c.inside->note_owed(stream, now.mono);
  c.trace.data(c.site(), stream, pieces, now);
  return Pushed::accepted;
}

Result<void> ServerConnection::end_stream(StreamId stream) {
  Impl& c = *impl_;
  if (c.phase != Phase::http1 && c.phase != Phase::records) return fail(Errc::misuse, 720);
  const Result<void> ended =
      c.phase == Phase::http1 ? c.outer->http.end_stream(stream) : c.inside->h2.end_stream(stream);
  if (ended) c.trace.end(c.site(), stream, c.last);
  return ended;
}

void ServerConnection::release(StreamId stream) {
  Impl& c = *impl_;
  if (c.phase == Phase::http1) c.outer->http.release(stream);
  if (c.phase == Phase::records) c.inside->h2.release(stream);
}

void ServerConnection::drain(Now now) {
  Impl& c = *impl_;
  c.draining = true;
  if (c.phase == Phase::records) {
    c.inside->h2.drain();
    c.pump(now);
  } else if (c.phase == Phase::http1 && c.outer->http.answering()) {
    c.outer->http.feed_end();  // the open request is answered, no other is read
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
  std::size_t count = c.out.offer(pieces, now.mono);
  if (count == 0 && !c.out.starved() && c.phase == Phase::closing && c.websocket &&
      !std::exchange(c.farewell_said, true)) {
    c.websocket->close(1000, {});
    c.websocket->fill(c.out.queue);
    count = c.out.offer(pieces, now.mono);
  }
  if (count == 0 && !c.out.starved() && c.phase == Phase::closing) c.abort(c.why);
  return count;
}

void ServerConnection::output_sent(std::size_t n, Now now) {
  Impl& c = *impl_;
  if (n == 0 || c.phase == Phase::closed) return;
  c.out.sent(n, now.mono);
  if (c.phase == Phase::closing && c.outer) c.phase_since = now.mono;  // a long last answer is still read
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
      return c.outer->http.wants_input() && c.out.has_room();
    case Phase::opened:
      return false;
    case Phase::records:
      return c.out.has_room();
    case Phase::closing:
      return true;  // and dropped: unread input would turn our last bytes into a reset
    case Phase::closed:
      return false;
  }
  return false;
}

std::optional<Instant> ServerConnection::next_timeout() const noexcept {
  const Impl& c = *impl_;
  std::optional<Instant> next = earlier(c.phase_deadline(), c.out.retry(c.last.mono));
  next = earlier(next, c.out.stall_deadline(c.config.limits.write_stall_deadline));
  if (c.phase != Phase::records) return next;
  return earlier(earlier(next, c.inside->input_deadline()), c.inside->owed_deadline());
}

std::size_t ServerConnection::own_size() noexcept { return sizeof(Impl) + sizeof(conn::Inside); }

}  // namespace ts2021
